"""The admin of the numbers: to look at, since roll-ups write them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from analytics.models import CallAnalyticsRow, DailyCallStatsRow, PhonePerformance
from tenants.backoffice.display import duration
from tenants.backoffice.filters import DaysFilter, LineFilter
from tenants.backoffice.modeladmin import ReadOnlyAdmin


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
