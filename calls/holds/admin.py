"""Legal holds in the admin, read-only: bulk actions of calls place and release them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from calls.holds.models import LegalHold
from calls.models import Call, CallArchive
from tenants.line_admin import LineFilter, ReadOnlyAdmin


class InForceFilter(admin.SimpleListFilter):
    """Served by idx_legal_holds_in_force."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in-force", "In force"), ("released", "Released")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(released_at__isnull=self.value() == "in-force")


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "case_reference",
        "line",
        "placed_by",
        "placed_at",
        "released_by",
        "released_at",
    )
    has_times = True
    list_filter = (LineFilter, InForceFilter)
    list_defer = ("reason", "release_reason")
    ordering = ("-id",)
    sortable_by = ("id",)
    fields = (
        "phone",
        "call",
        "case_reference",
        "reason",
        "placed_by",
        "placed_at",
        "release_reason",
        "released_by",
        "released_at",
    )
    readonly_fields = ("call",)

    @admin.display(description="Call")
    def call(self, hold: LegalHold) -> SafeString | str:
        models: tuple[Any, ...] = (Call, CallArchive)
        for model in models:
            if model.objects.filter(pk=hold.call_id).exists():
                name = f"admin:calls_{model._meta.model_name}_change"
                return format_html(
                    '<a href="{}">{}</a>', reverse(name, args=[hold.call_id]), "Open call"
                )
        return f"{hold.call_id} (deleted)"
