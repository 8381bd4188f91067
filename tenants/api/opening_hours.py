"""The opening hours of a line: its week, further intervals of a weekday, and special days."""

from typing import Any

from django.db import connection, transaction
from drf_spectacular.utils import inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import IF_MATCH, documented
from api.permissions import KeyScope
from api.preconditions import etag_of, require_match
from tenants.api.rows import (
    CollectionView,
    RowView,
    document_collection,
    document_row,
    results_of,
)
from tenants.api.serializers import (
    BusinessHoursIntervalSerializer,
    BusinessHoursSerializer,
    SpecialDaySerializer,
    WeekSerializer,
)
from tenants.models import BusinessHours, BusinessHoursInterval, PhoneNumber, SpecialDay

MAX_INTERVALS = 140  # of one line's week
# So that hours which change places do not overlap in between.
CHECK_LATER = "SET CONSTRAINTS business_hours_overlap, business_hours_intervals_overlap DEFERRED"
CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE"

WEEK = inline_serializer(
    "BusinessWeek",
    {
        "results": BusinessHoursSerializer(many=True),
        "intervals": BusinessHoursIntervalSerializer(many=True),
    },
)
INTERVALS = results_of("BusinessHoursIntervals", BusinessHoursIntervalSerializer)
SPECIAL_DAYS = results_of("SpecialDays", SpecialDaySerializer)


@document_collection("business_hours", BusinessHoursSerializer, WEEK)
class BusinessHoursWeek(CollectionView):
    """The hours of each weekday, and the further ones. PUT replaces the whole week at once."""

    scopes = {**CollectionView.scopes, "PUT": KeyScope.WRITE}
    model = BusinessHours
    serializer = BusinessHoursSerializer
    max_rows = 7

    def read(self) -> dict[str, Any]:
        further = BusinessHoursInterval.objects.all()
        return {
            **super().read(),
            "intervals": BusinessHoursIntervalSerializer(further, many=True).data,
        }

    @documented(
        {200: WEEK},
        request=WeekSerializer,
        refusals=[409, 412],
        parameters=[IF_MATCH],
        operation_id="business_week_update",
    )
    def put(self, request: Request) -> Response:
        week = WeekSerializer(data=request.data)
        week.is_valid(raise_exception=True)
        with transaction.atomic(), connection.cursor() as cursor:
            PhoneNumber.objects.select_for_update().get()  # one week at a time
            require_match(request, self.read())
            cursor.execute(CHECK_LATER)
            days = {day["day_of_week"]: day for day in week.validated_data["days"]}
            BusinessHours.objects.exclude(day_of_week__in=days).delete()
            BusinessHours.objects.bulk_create(
                [BusinessHours(**day) for day in days.values()],
                update_conflicts=True,
                unique_fields=["phone", "day_of_week"],
                update_fields=["open_time", "close_time", "timezone", "is_closed"],
            )
            if "intervals" in week.validated_data:
                BusinessHoursInterval.objects.all().delete()
                BusinessHoursInterval.objects.bulk_create(
                    BusinessHoursInterval(**interval)
                    for interval in week.validated_data["intervals"]
                )
            cursor.execute(CHECK_NOW)
            data = self.read()
        return Response(data, headers={"ETag": etag_of(data)})


@document_row(BusinessHoursSerializer)
class BusinessHoursDay(RowView):
    model = BusinessHours
    serializer = BusinessHoursSerializer


@document_collection("business_hours_intervals", BusinessHoursIntervalSerializer, INTERVALS)
class BusinessHoursIntervals(CollectionView):
    """Further intervals of weekdays, such as those after a lunch break, on the line's clock."""

    model = BusinessHoursInterval
    serializer = BusinessHoursIntervalSerializer
    max_rows = MAX_INTERVALS


@document_row(BusinessHoursIntervalSerializer)
class BusinessHoursIntervalView(RowView):
    model = BusinessHoursInterval
    serializer = BusinessHoursIntervalSerializer


@document_collection("special_days", SpecialDaySerializer, SPECIAL_DAYS)
class SpecialDays(CollectionView):
    """Dates with hours of their own, by date: holidays, half days, single openings."""

    model = SpecialDay
    serializer = SpecialDaySerializer

    def rows(self) -> Any:
        return SpecialDay.objects.prefetch_related("intervals")


@document_row(SpecialDaySerializer)
class SpecialDayView(RowView):
    """PUT and PATCH replace the intervals where they are given."""

    model = SpecialDay
    serializer = SpecialDaySerializer
