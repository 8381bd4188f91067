"""The inbox in the admin: read-only, with replay."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from backoffice.display import plural
from calls.intake.models import PROBLEMS, CallEvent, RefusedCallback
from calls.intake.webhooks.replaying import replay_events
from tenants.line_admin import LineFilter, ReadOnlyAdmin
from tenants.line_search import of_lines_that_match


class ProblemFilter(admin.SimpleListFilter):
    """Served by idx_call_events_problems."""

    title = "problems"
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Not applied")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallEvent]) -> QuerySet[CallEvent]:
        return queryset.filter(outcome__in=PROBLEMS) if self.value() else queryset


@admin.register(CallEvent)
class CallEventAdmin(ReadOnlyAdmin):
    list_display = ("id", "received_at", "line", "kind", "call_sid", "outcome", "reason")
    has_times = True
    list_filter = (LineFilter, ProblemFilter, "outcome", "kind")
    list_defer = ("payload", "parsed")
    ordering = ("-id",)
    sortable_by = ("id",)
    search_help_text = "Search by call SID or line."
    actions = ("replay",)

    def search(self, term: str) -> Q:
        return Q(call_sid=term) | of_lines_that_match(term)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without the parsed values where there are none, which would be shown as null."""
        fields = super().get_fields(request, obj)
        is_read = obj is None or obj.parsed is not None
        return [name for name in fields if is_read or name != "parsed"]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.change_callevent")

    @admin.action(
        description="Apply again (applied events are unchanged)",
        permissions=["replay"],
    )
    def replay(self, request: HttpRequest, queryset: QuerySet[CallEvent]) -> None:
        counts = replay_events(list(queryset.order_by("id").values_list("pk", flat=True)))
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        replayed = plural(counts.total(), "event")
        messages.success(request, f"{replayed} replayed: {outcomes or 'none'}.")


@admin.register(RefusedCallback)
class RefusedCallbackAdmin(ReadOnlyAdmin):
    list_display = ("hour", "line", "cause", "count", "detail", "last_at")
    has_times = True
    # Each row has a count of its own.
    row_names = ("row", "rows")
    list_filter = (LineFilter, "cause")
    ordering = ("-id",)
    sortable_by = ("hour",)
