"""The admin of the numbers: to look at, since roll-ups write them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from analytics.models import (
    CallAnalyticsRow,
    DailyCallStatsRow,
    PhonePerformance,
    StatsVerification,
)
from analytics.verification import Difference
from tenants.backoffice.display import bullets, duration, moment
from tenants.backoffice.filters import DaysFilter, LineFilter
from tenants.backoffice.modeladmin import ReadOnlyAdmin
from tenants.scoping import active_scope


class DayFilter(DaysFilter):
    field = "date"


class HourFilter(DaysFilter):
    field = "date_bucket"


class StatisticsAdmin(ReadOnlyAdmin):
    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        # By the columns of the table's key: no index knows the view's.
        model: Any = self.model
        try:
            columns = model.columns_of(object_id)
        except ValueError:
            return None
        rows = self.get_queryset(request).filter(**columns)
        return None if "\x00" in object_id else rows.first()


@admin.register(DailyCallStatsRow)
class DailyCallStatsAdmin(StatisticsAdmin):
    list_display = (
        "date",
        "line",
        "total_calls",
        "answered_calls",
        "average_duration",
        "unique_callers",
    )
    list_filter = (LineFilter, DayFilter)
    date_hierarchy = "date"
    ordering = ("-date", "-phone_id")
    sortable_by = ("date",)
    exclude = ("key",)


@admin.register(CallAnalyticsRow)
class CallAnalyticsAdmin(StatisticsAdmin):
    list_display = (
        "hour",
        "line",
        "total_calls",
        "answered_calls",
        "successful_calls",
        "unique_callers",
    )
    list_filter = (LineFilter, HourFilter)
    date_hierarchy = "date_bucket"
    ordering = ("-date_bucket", "-phone_id")
    sortable_by = ("hour",)
    exclude = ("key",)

    @admin.display(description="Hour (UTC)", ordering="date_bucket")
    def hour(self, row: CallAnalyticsRow) -> str:
        return f"{row.date_bucket:%Y-%m-%d %H:%M}"


@admin.register(PhonePerformance)
class PhonePerformanceAdmin(ReadOnlyAdmin):
    list_display = ("phone", "total_calls", "average", "unique_callers", "completed")
    ordering = ("-total_calls", "-phone_id")
    sortable_by = ("total_calls",)

    @admin.display(description="Average duration")
    def average(self, row: PhonePerformance) -> str:
        return duration(round(row.avg_duration))

    @admin.display(description="Completed")
    def completed(self, row: PhonePerformance) -> str:
        return f"{row.success_rate:.1f} %"


@admin.register(StatsVerification)
class StatsVerificationAdmin(ReadOnlyAdmin):
    """Of all lines together: inside one there is nothing to see."""

    list_display = ("began", "took", "lines", "difference_count")
    autocomplete_fields = ()
    list_filter = ()
    list_select_related = False
    search_fields = ()
    ordering = ("-id",)
    fields = ("began", "took", "lines", "difference_count", "in_words")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _over_all_lines() and super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Django looks for the row before it asks who may see it.
        rows = super().get_queryset(request)
        return rows if _over_all_lines() else rows.none()

    @admin.display(description="Began")
    def began(self, run: StatsVerification) -> str:
        return moment(run.started_at)

    @admin.display(description="Took")
    def took(self, run: StatsVerification) -> str:
        return duration(round((run.finished_at - run.started_at).total_seconds()))

    @admin.display(description="Differences")
    def in_words(self, run: StatsVerification) -> SafeString | str:
        told = [str(Difference(**difference)) for difference in run.differences]
        if more := run.difference_count - len(told):
            told.append(f"and {more:,} more; verify_stats prints all")
        return bullets(told) if told else "None: every number equals its calls."


def _over_all_lines() -> bool:
    scope = active_scope()  # none on the page after logging out
    return scope is not None and scope.phone_id is None
