"""The admin of the statistics: read-only, since roll-ups write them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.bucket_source import BucketSource, Period, find_source_calls
from analytics.definitions import definitions_of
from analytics.models import (
    CallAnalyticsRow,
    DailyCallStatsRow,
    PhonePerformance,
    StatsVerification,
    SummaryRefresh,
)
from analytics.queries import midnight
from analytics.verification import Difference
from backoffice.display import bullets, duration, list_link, moment
from backoffice.filters import DaysFilter
from backoffice.paging import KeysetChangeList
from calls.admin.statistics_filter import calls_query
from tenancy import active_scope
from tenants.line_admin import LineFilter, ReadOnlyAdmin


class DayFilter(DaysFilter):
    field = "date"


class HourFilter(DaysFilter):
    field = "date_bucket"


class StatisticsChangeList(KeysetChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.model_admin.find_calls(self.result_list)  # type: ignore[attr-defined]


class NumbersAdmin(ReadOnlyAdmin):
    """Rows whose numbers link to the calls that they count.

    labels: the number of analytics.definitions that each label on the pages stands for.
    """

    labels: ClassVar[dict[str, str]] = {}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"definitions": definitions_of(**self.labels), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        about = render_to_string(
            "backoffice/definitions.html", {"definitions": definitions_of(**self.labels)}
        )
        [(name, options)] = super().get_fieldsets(request, obj)
        return [(name, {**options, "description": about})]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return StatisticsChangeList

    def period_of(self, row: Any) -> Period:
        raise NotImplementedError

    def find_calls(self, rows: Iterable[Any]) -> None:
        """Set the source of each row: where its calls are."""
        rows = list(rows)
        found = find_source_calls([self.period_of(row) for row in rows])
        for row, source in zip(rows, found, strict=True):
            row.source = source

    def _link(self, row: Any, text: object, reached: str = "") -> SafeString | str:
        source: BucketSource = row.source
        if source.sealed or text is None:
            return "-" if text is None else str(text)
        period = source.period
        query = calls_query(
            line=period.phone_id, since=period.since, until=period.until, reached=reached
        )
        live = list_link("calls_call", str(text), **query)
        if not source.archived:
            return live
        if not source.live:
            return list_link("calls_callarchive", str(text), **query)
        return format_html("{} ({})", live, list_link("calls_callarchive", "archive", **query))

    @admin.display(description="Calls", ordering="total_calls")
    def total(self, row: Any) -> SafeString | str:
        return self._link(row, f"{row.total_calls:,}")

    @admin.display(description="Callers")
    def callers(self, row: Any) -> SafeString | str:
        return self._link(row, f"{row.unique_callers:,}")


class StatisticsAdmin(NumbersAdmin):
    row_names = ("row", "rows")
    labels: ClassVar = {
        "total_calls": "Calls",
        "answered_calls": "Answered",
        "successful_calls": "Completed",
        "live_calls": "In progress",
        "measured_calls": "Length known",
        "total_duration": "Total duration",
        "average_duration": "Average duration",
        "unique_callers": "Callers",
    }

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        # By the columns of the table's key, which has an index, unlike the view's.
        model: Any = self.model
        try:
            columns = model.columns_of(object_id)
        except ValueError:
            return None
        if "\x00" in object_id:
            return None
        row = self.get_queryset(request).select_related("phone").filter(**columns).first()
        if row is not None:
            self.find_calls([row])
        return row

    @admin.display(description="Answered")
    def answered(self, row: Any) -> SafeString | str:
        return self._link(row, f"{row.answered_calls:,}", "answered")

    @admin.display(description="Completed")
    def completed(self, row: Any) -> SafeString | str:
        return self._link(row, f"{row.successful_calls:,}", "completed")

    @admin.display(description="In progress")
    def live(self, row: Any) -> SafeString | str:
        return self._link(row, f"{row.live_calls:,}", "live")

    @admin.display(description="Length known")
    def measured(self, row: Any) -> SafeString | str:
        return self._link(row, f"{row.measured_calls:,}", "measured")

    @admin.display(description="State")
    def state(self, row: Any) -> str:
        if row.source.sealed:
            return "final: its month was dropped"
        return "waiting for the roll-up" if row.source.queued else "up to date"


@admin.register(DailyCallStatsRow)
class DailyCallStatsAdmin(StatisticsAdmin):
    list_display = (
        "date",
        "line",
        "total",
        "answered",
        "completed",
        "live",
        "measured",
        "average",
        "callers",
        "state",
    )
    list_filter = (LineFilter, DayFilter)
    date_hierarchy = "date"
    ordering = ("-date", "-phone_id")
    sortable_by = ("date",)
    fields = (
        "phone",
        "date",
        "total",
        "answered",
        "completed",
        "live",
        "measured",
        "total_duration",
        "average",
        "callers",
        "callers_exact",
        "state",
        "created_at",
    )
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"clock": "each line's own", **(extra_context or {})}
        return super().changelist_view(request, context)

    def period_of(self, row: DailyCallStatsRow) -> Period:
        clock = row.phone.timezone
        since, until = midnight(row.date, clock), midnight(row.date + timedelta(days=1), clock)
        return Period(row.phone.pk, since, until)

    @admin.display(description="Average duration")
    def average(self, row: DailyCallStatsRow) -> SafeString | str:
        mean = row.average_duration
        return self._link(row, None if mean is None else duration(round(mean)), "measured")


@admin.register(CallAnalyticsRow)
class CallAnalyticsAdmin(StatisticsAdmin):
    list_display = (
        "hour",
        "line",
        "total",
        "answered",
        "completed",
        "live",
        "measured",
        "callers",
        "state",
    )
    has_times = True
    list_filter = (LineFilter, HourFilter)
    date_hierarchy = "date_bucket"
    ordering = ("-date_bucket", "-phone_id")
    sortable_by = ("hour",)
    fields = (
        "phone",
        "hour",
        "total",
        "answered",
        "completed",
        "live",
        "measured",
        "total_duration",
        "callers",
        "state",
        "created_at",
    )
    readonly_fields = fields

    def period_of(self, row: CallAnalyticsRow) -> Period:
        return Period(row.phone.pk, row.date_bucket, row.date_bucket + timedelta(hours=1))

    @admin.display(description="Hour", ordering="date_bucket")
    def hour(self, row: CallAnalyticsRow) -> str:
        clock = timezone.get_current_timezone_name()
        return f"{timezone.localtime(row.date_bucket):%Y-%m-%d %H:%M} {clock}"


@admin.register(PhonePerformance)
class PhonePerformanceAdmin(NumbersAdmin):
    """As of the last refresh: later changes of calls are not included."""

    row_names = ("line", "lines")
    labels: ClassVar = {
        "total_calls": "Calls",
        "average_duration": "Average duration",
        "unique_callers": "Callers",
        "success_rate": "Completed",
    }

    list_display = ("phone", "total", "average", "callers", "completed")
    ordering = ("-total_calls", "-phone_id")
    sortable_by = ("total",)
    fields = ("phone", "total", "average", "callers", "completed", "as_of")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        refreshes = SummaryRefresh.objects.order_by("-id").values("started_at")
        rows: QuerySet[Any] = super().get_queryset(request)
        # The migration that created the view filled it without a refresh row.
        annotated: QuerySet[Any] = rows.annotate(
            refreshed_at=Coalesce(Subquery(refreshes[:1]), Now())
        )
        return annotated

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.find_calls([row])
        return row

    def period_of(self, row: Any) -> Period:
        return Period(row.phone_id, row.refreshed_at - timedelta(days=30), row.refreshed_at)

    @admin.display(description="Average duration")
    def average(self, row: PhonePerformance) -> SafeString | str:
        mean = row.avg_duration
        return self._link(row, None if mean is None else duration(round(mean)), "measured")

    @admin.display(description="Completed")
    def completed(self, row: PhonePerformance) -> SafeString | str:
        return self._link(row, f"{row.success_rate:.1f}%", "completed")

    @admin.display(description="As of")
    def as_of(self, row: Any) -> str:
        return moment(row.refreshed_at)


@admin.register(StatsVerification)
class StatsVerificationAdmin(ReadOnlyAdmin):
    """Covers all lines, so it is hidden while staff work in one."""

    list_display = ("began", "took", "counted", "found")
    autocomplete_fields = ()
    list_filter = ()
    list_select_related = False
    search_fields = ()
    ordering = ("-id",)
    fields = ("began", "took", "counted", "found", "details")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _over_all_lines() and super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Django looks for the row before it asks who may see it.
        rows = super().get_queryset(request)
        return rows if _over_all_lines() else rows.none()

    @admin.display(description="Started")
    def began(self, run: StatsVerification) -> str:
        return moment(run.started_at)

    @admin.display(description="Duration")
    def took(self, run: StatsVerification) -> str:
        return duration(round((run.finished_at - run.started_at).total_seconds()))

    @admin.display(description="Lines")
    def counted(self, run: StatsVerification) -> str:
        return f"{run.lines:,}, chosen at random" if run.is_sample else f"{run.lines:,}, all"

    @admin.display(description="Differences")
    def found(self, run: StatsVerification) -> str:
        return f"{run.difference_count:,}"

    @admin.display(description="Details")
    def details(self, run: StatsVerification) -> SafeString | str:
        found = [str(Difference(**difference)) for difference in run.differences]
        if more := run.difference_count - len(found):
            found.append(f"and {more:,} more; run verify_stats to list all")
        return (
            bullets(found) if found else "None: the statistics of these lines match their calls."
        )


def _over_all_lines() -> bool:
    scope = active_scope()  # none on the page after logging out
    return scope is not None and scope.phone_id is None
