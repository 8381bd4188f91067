"""The admin of calls, live and archived."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.deletion import delete_selected
from backoffice.display import moment
from backoffice.filters import DaysFilter
from backoffice.modeladmin import LineStackedInline
from backoffice.paging import AFTER, BEFORE
from calls.admin import actions
from calls.admin.call_form import CallForm
from calls.admin.call_page import call_page
from calls.admin.filters import (
    ArchivedOutcomeFilter,
    ArchivedStatusFilter,
    CallTagFilter,
    ConfidenceFilter,
    DurationFilter,
    HoldFilter,
    OutcomeFilter,
    PeriodsFilter,
    RecordingFilter,
    StatusFilter,
    TagFilter,
    WordsFilter,
)
from calls.admin.statistics_filter import StatisticsPeriodFilter
from calls.confidence import confidence_of
from calls.duration import lasted
from calls.models import LOW_CONFIDENCE, Call, CallArchive, CallMetadata, LegalHold
from calls.outcomes import CallOutcome, ending_of, with_outcomes
from calls.search.terms import calls_that_match
from tenancy.models import InScope
from tenants.line_admin import LineFilter, LineOwnedAdmin, ReadOnlyAdmin

SUMMARY_SHOWN = 60  # characters
SEARCH_HELP = "Search by caller number (in full or its start), call SID or line."


def began(call: Any) -> str:
    """On the clock of the list."""
    return f"{timezone.localtime(call.created_at):%Y-%m-%d %H:%M}"


class CallAdminMixin:
    """Columns and pages of calls, live or archived."""

    change_form_template: Any = "calls/call_page.html"
    change_list_template: Any = "calls/change_list.html"
    has_times = True
    object_history_template: Any = "calls/object_history.html"

    class Media:
        css: ClassVar = {"all": ["calls/call.css"]}
        js: ClassVar = ["calls/call.js"]

    def has_hold_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.hold_call")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.export_call")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_outcomes(super().get_queryset(request))  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With a link to the other list, whose filters have the same names."""
        context = {
            "can_export": self.has_export_permission(request),
            "other_list": self._other_list(request),
        }
        response: HttpResponse = super().changelist_view(  # type: ignore[misc]
            request, {**context, **(extra_context or {})}
        )
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """With each hold and release of the call, whatever placed it."""
        call = self.get_object(request, object_id)  # type: ignore[attr-defined]
        holds = self._holds(call.pk, request) if call else {}
        response: HttpResponse = super().history_view(  # type: ignore[misc]
            request, object_id, {**holds, "original": call, **(extra_context or {})}
        )
        return response

    def _holds(self, call_id: Any, request: HttpRequest) -> dict[str, Any]:
        """What calls/legal_holds.html shows, to those who may see holds."""
        sees = admin.site.get_model_admin(LegalHold).has_view_permission(request)
        name = f"admin:calls_{self.model._meta.model_name}_changelist"  # type: ignore[attr-defined]
        return {
            "sees_holds": sees,
            "holds": LegalHold.objects.filter(call_id=call_id) if sees else [],
            "hold_action": reverse(name) if self.has_hold_permission(request) else None,
        }

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Redirect to the same call in the other list, if it was archived or restored."""
        other = self._other_admin
        if other.has_view_permission(request) and other.get_object(request, object_id):
            return redirect(f"admin:calls_{other.opts.model_name}_change", object_id)
        response: HttpResponse = super()._get_obj_does_not_exist_redirect(  # type: ignore[misc]
            request, opts, object_id
        )
        return response

    def _other_list(self, request: HttpRequest) -> str | None:
        """The other list's address, with the search and filters of this one."""
        other = self._other_admin
        if not other.has_view_permission(request):
            return None
        query = request.GET.copy()
        for name in (AFTER, BEFORE):
            query.pop(name, None)
        # No archived call is in progress.
        for name, value in (("status", "live"), ("outcome", CallOutcome.IN_PROGRESS)):
            if query.get(name) == value:
                del query[name]
        address = reverse(f"admin:calls_{other.opts.model_name}_changelist")
        return f"{address}?{query.urlencode()}" if query else address

    @property
    def _other_admin(self) -> Any:
        """The admin of archived calls for live ones, and the other way round."""
        other = CallArchive if self.model is Call else Call  # type: ignore[attr-defined]
        return self.admin_site.get_model_admin(other)  # type: ignore[attr-defined]

    @admin.display(description="Started", ordering="created_at")
    def began(self, call: Any) -> str:
        return began(call)

    @admin.display(description="Started")
    def began_at(self, call: Any) -> str:
        return moment(call.created_at, call.phone.timezone)

    @admin.display(description="Changed")
    def changed_at(self, call: Any) -> str:
        return moment(call.updated_at, call.phone.timezone)

    @admin.display(description="Status")
    def state(self, call: Any) -> SafeString:
        return format_html(
            '<span class="backoffice-status backoffice-status-{}">{}</span>',
            call.status,
            call.get_status_display(),
        )

    @admin.display(description="Outcome")
    def ended(self, call: Any) -> SafeString:
        ending = ending_of(call)
        return format_html('<span title="{}">{}</span>', ending.sentence, ending.outcome.label)

    @admin.display(description="Conf.")
    def confidence(self, call: Any) -> SafeString | str:
        confidence = confidence_of(call)
        if confidence is None:
            return "-"
        if confidence >= LOW_CONFIDENCE:
            return str(confidence)
        return format_html('<span class="call-confidence-low">{}</span>', confidence)

    @admin.display(description="AI confidence")
    def known_confidence(self, call: Any) -> str:
        confidence = confidence_of(call)
        return "none: no AI spoke" if confidence is None else str(confidence)

    @admin.display(description="Duration")
    def lasted(self, call: Any) -> str:
        return lasted(call)

    @admin.display(description="Summary")
    def summary(self, call: Any) -> str:
        text = call.ai_summary or "-"
        return text if len(text) <= SUMMARY_SHOWN else f"{text[: SUMMARY_SHOWN - 1]}…"

    def around_form(self, row: Any, request: HttpRequest) -> dict[str, Any]:
        holds = self._holds(row.pk, request)
        return {"page": call_page(row, request), "began": self.began_at(row), **holds}


class CallMetadataInline(LineStackedInline):
    model = CallMetadata
    fields = ("tags", "metadata", "custom_fields")
    # A call without metadata shows an empty form.
    extra = 1
    max_num = 1
    hide_title = True
    show_change_link = False


@admin.register(Call)
class CallAdmin(CallAdminMixin, LineOwnedAdmin):
    form = CallForm
    list_display = (
        "began",
        "caller_number",
        "line",
        "state",
        "ended",
        "lasted",
        "confidence",
        "has_recording",
        "summary",
    )
    list_filter = (
        LineFilter,
        StatusFilter,
        OutcomeFilter,
        DaysFilter,
        PeriodsFilter,
        WordsFilter,
        ConfidenceFilter,
        CallTagFilter,
        DurationFilter,
        HoldFilter,
        RecordingFilter,
        StatisticsPeriodFilter,
    )
    date_hierarchy = "created_at"
    list_defer = ("transcript",)
    ordering = ("-created_at", "-id")
    sortable_by = ("began",)
    search_help_text = SEARCH_HELP
    multiline = ("transcript", "ai_summary")
    inlines = (CallMetadataInline,)
    actions = (delete_selected, *actions.ACTIONS, actions.export_calls)

    def has_tag_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["calls.add_callmetadata", "calls.change_callmetadata"])

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.review_call")

    @admin.display(description="Rec.")
    def has_recording(self, call: Call) -> str:
        return "Yes" if call.recording_url else "-"

    def search(self, term: str) -> Q:
        return calls_that_match(term)

    def get_fieldsets(self, request: HttpRequest, obj: Call | None = None) -> Any:
        if obj is not None:
            [(_, shown), identification] = self.change_fieldsets
            if not self.has_change_permission(request, obj):
                shown = {"fields": ["status", "lasted", "ai_summary", "known_confidence"]}
            return [(None, shown), identification]
        return super().get_fieldsets(request, obj)

    change_fieldsets: ClassVar = [
        (
            None,
            {
                "fields": [
                    "status",
                    "duration",
                    "ai_summary",
                    "ai_confidence",
                ]
            },
        ),
        (
            "Identification",
            {"fields": ["phone", "caller_number", "call_sid", "id", "changed_at"]},
        ),
    ]
    fields = (
        "phone",
        "caller_number",
        "call_sid",
        "status",
        "duration",
        "ai_summary",
        "ai_confidence",
        "transcript",
        "recording_url",
        "provider_status",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Call | None = None) -> list[Any]:
        if obj is None:
            return []
        fixed = ["caller_number", "call_sid", "id", "changed_at", "lasted", "known_confidence"]
        return [*super().get_readonly_fields(request, obj), *fixed]


@admin.register(CallMetadata)
class CallMetadataAdmin(LineOwnedAdmin):
    list_display = ("about", "phone", "tag_list", "created_at")
    has_times = True
    row_names = ("call with metadata", "calls with metadata")
    list_filter = (LineFilter, TagFilter)
    # By the call, whose index serves it.
    ordering = ("-call__created_at", "-call_id")
    list_select_related = ("call", "phone")
    list_defer = ("call__transcript", "call__ai_summary", "metadata", "custom_fields")
    search_help_text = SEARCH_HELP
    autocomplete_fields = ("call",)
    fields = ("call", "tags", "metadata", "custom_fields")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # See CallTagFilter: the planner must know how many calls it would join.
        return super().get_queryset(request).filter(InScope("call__phone_id"))

    @admin.display(description="Call")
    def about(self, row: CallMetadata) -> str:
        return f"{row.call.caller_number} at {began(row.call)}"

    @admin.display(description="Tags")
    def tag_list(self, row: CallMetadata) -> str:
        return ", ".join(row.tags) or "-"

    def search(self, term: str) -> Q:
        return calls_that_match(term, path="call__")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("phone", *self.fields, "created_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "call", "created_at"] if obj else fields

    def save_model(self, request: HttpRequest, obj: CallMetadata, form: Any, change: bool) -> None:
        obj.phone_id = obj.call.phone_id
        super().save_model(request, obj, form, change)


@admin.register(CallArchive)
class CallArchiveAdmin(CallAdminMixin, ReadOnlyAdmin):
    list_display = (
        "began",
        "caller_number",
        "line",
        "state",
        "ended",
        "lasted",
        "confidence",
        "summary",
        "archived_on",
    )
    list_filter = (
        LineFilter,
        ArchivedStatusFilter,
        ArchivedOutcomeFilter,
        DaysFilter,
        PeriodsFilter,
        WordsFilter,
        ConfidenceFilter,
        TagFilter,
        DurationFilter,
        HoldFilter,
        RecordingFilter,
        StatisticsPeriodFilter,
    )
    actions = (*actions.HOLD_ACTIONS, actions.export_calls)
    date_hierarchy = "created_at"
    list_defer = ("transcript", "metadata", "custom_fields")
    ordering = ("-created_at", "-id")
    sortable_by = ("began",)
    search_help_text = SEARCH_HELP
    fieldsets = (
        (None, {"fields": ["tags", "metadata", "custom_fields"]}),
        ("Identification", {"fields": ["phone", "caller_number", "call_sid", "id"]}),
    )

    @admin.display(description="Archived")
    def archived_on(self, call: CallArchive) -> str:
        return f"{timezone.localtime(call.archived_at):%Y-%m-%d}"

    def search(self, term: str) -> Q:
        return calls_that_match(term)
