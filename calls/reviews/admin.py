"""Reviews in the admin, read-only: who reviewed which call, and what they changed."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.display import bullets, moment
from calls.models import Call, CallArchive
from calls.reviews.models import CallReview
from tenants.line_admin import LineFilter, ReadOnlyAdmin


@admin.register(CallReview)
class CallReviewAdmin(ReadOnlyAdmin):
    list_display = ("id", "call_began", "line", "reviewed_by", "reviewed_at", "claimed_by")
    has_times = True
    list_filter = (LineFilter,)
    list_defer = ("history",)
    ordering = ("-id",)
    sortable_by = ("id",)
    fields = (
        "phone",
        "call",
        "call_began",
        "claimed_by",
        "claimed_until",
        "reviewed_by",
        "reviewed_at",
        "steps",
    )
    readonly_fields = ("call", "steps")

    @admin.display(description="Call")
    def call(self, review: CallReview) -> SafeString | str:
        models: tuple[Any, ...] = (Call, CallArchive)
        for model in models:
            if model.objects.filter(pk=review.call_id).exists():
                name = f"admin:calls_{model._meta.model_name}_change"
                return format_html(
                    '<a href="{}">{}</a>', reverse(name, args=[review.call_id]), "Open call"
                )
        return f"{review.call_id} (deleted)"

    @admin.display(description="History")
    def steps(self, review: CallReview) -> SafeString:
        return bullets(
            f"{moment(datetime.fromisoformat(step['at']))} {step['by']}: {step['did']}"
            + (f"; previous summary: {step['former']}" if "former" in step else "")
            for step in review.history
        )
