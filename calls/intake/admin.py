"""The inbox in the admin: to be read, filtered and replayed, never edited."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from calls.intake.models import PROBLEMS, CallEvent
from calls.intake.replaying import replay_events


class ProblemFilter(admin.SimpleListFilter):
    """Served by idx_call_events_problems."""

    title = "problems"
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Not applied")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallEvent]) -> QuerySet[CallEvent]:
        return queryset.filter(verdict__in=PROBLEMS) if self.value() else queryset


@admin.register(CallEvent)
class CallEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "received_at", "phone", "kind", "call_sid", "verdict", "reason"]
    list_select_related = ["phone"]
    list_filter = [ProblemFilter, "verdict", "kind"]
    search_fields = ["call_sid__exact"]
    search_help_text = "A call SID"
    show_full_result_count = False
    actions = ["replay"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: CallEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CallEvent | None = None) -> bool:
        return False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.change_callevent")

    @admin.action(
        description="Apply again; what was applied already changes nothing",
        permissions=["replay"],
    )
    def replay(self, request: HttpRequest, queryset: QuerySet[CallEvent]) -> None:
        counts = replay_events(list(queryset.order_by("id").values_list("pk", flat=True)))
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
        messages.success(request, f"{counts.total()} events replayed: {told or 'none'}.")
