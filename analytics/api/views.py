"""The statistics of a line, exact at the moment of the request."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.serializers import (
    DailyQuery,
    HourlyQuery,
    OutcomesQuery,
    OutcomeStatsSerializer,
    StatsSerializer,
    SummarySerializer,
)
from analytics.api.series import read_days, read_hours, read_outcomes
from analytics.models import PhonePerformance
from analytics.queries import one_snapshot
from analytics.summary import summary_as_of
from api.documentation import documented
from api.errors import Invalid
from api.parameters import validated
from api.permissions import KeyScope
from api.serializer_fields import StrictSerializer
from api.views import LineView

# The time of the request, and the line's own time zone.
CLOCKS = """
SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), timezone
FROM phone_numbers
"""


class StatsView(LineView):
    scopes = {"GET": KeyScope.READ}
    query: type[StrictSerializer]

    def get(self, request: Request) -> Response:
        query = validated(self.query, request)
        with one_snapshot():
            with connection.cursor() as cursor:
                cursor.execute(CLOCKS)
                as_of, own = cursor.fetchone()
            clock = query.get("timezone", own)
            self.check(query, timezone=clock)
            body = self.read(query, timezone=clock, is_own=clock == own)
            if "compare" in query:
                before = query | self.before(query)
                body["previous"] = self.read(before, timezone=clock, is_own=clock == own)
        about = {"timezone": clock, "as_of": as_of}
        if "group_by" in query:
            about["group_by"] = query["group_by"]
        return Response({**about, **body})

    def check(self, query: Mapping[str, Any], *, timezone: str) -> None:
        """What depends on the clock. Raises Invalid."""

    def read(self, query: Mapping[str, Any], *, timezone: str, is_own: bool) -> dict[str, Any]:
        raise NotImplementedError

    def before(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """The period of the same length that ends where this one begins."""
        raise NotImplementedError


class DaysView(StatsView):
    """Of the days `first` to `last`."""

    def before(self, query: Mapping[str, Any]) -> dict[str, Any]:
        length = query["last"] - query["first"] + timedelta(days=1)
        return {"first": query["first"] - length, "last": query["last"] - length}


@extend_schema_view(get=documented({200: StatsSerializer}, parameters=[DailyQuery]))
class DailyStats(DaysView):
    """Statistics by day, week, month or weekday."""

    query = DailyQuery

    def read(self, query: Mapping[str, Any], *, timezone: str, is_own: bool) -> Any:
        return read_days(
            first=query["first"],
            last=query["last"],
            timezone=timezone,
            group_by=query["group_by"],
            week_start=query["week_start"],
            is_own=is_own,
        )


@extend_schema_view(get=documented({200: OutcomeStatsSerializer}, parameters=[OutcomesQuery]))
class OutcomeStats(DaysView):
    """How many calls ended how."""

    query = OutcomesQuery

    def read(self, query: Mapping[str, Any], *, timezone: str, is_own: bool) -> Any:
        return read_outcomes(first=query["first"], last=query["last"], timezone=timezone)


@extend_schema_view(get=documented({200: StatsSerializer}, parameters=[HourlyQuery]))
class HourlyStats(StatsView):
    """Statistics by hour or hour of the day."""

    query = HourlyQuery

    def check(self, query: Mapping[str, Any], *, timezone: str) -> None:
        ends = {name: query[name] for name in ("since", "until")}
        whole = {
            clock: [_is_whole_hour(moment, clock) for moment in ends.values()]
            for clock in ("UTC", timezone)
        }
        if not any(map(all, whole.values())):
            raise Invalid(
                [
                    {"parameter": name, "detail": f"Expected a whole hour in {timezone} or UTC."}
                    for name, is_whole in zip(ends, whole[timezone], strict=True)
                    if not is_whole
                ]
            )

    def read(self, query: Mapping[str, Any], *, timezone: str, is_own: bool) -> Any:
        return read_hours(
            since=query["since"],
            until=query["until"],
            timezone=timezone,
            group_by=query["group_by"],
        )

    def before(self, query: Mapping[str, Any]) -> dict[str, Any]:
        length = query["until"] - query["since"]
        return {"since": query["since"] - length, "until": query["since"]}


def _is_whole_hour(moment: datetime, timezone: str) -> bool:
    local = moment.astimezone(ZoneInfo(timezone))
    return (local.minute, local.second, local.microsecond) == (0, 0, 0)


class SummaryStats(LineView):
    """The last 30 days as of the last refresh of phone_performance_summary."""

    scopes = {"GET": KeyScope.READ}

    @documented({200: SummarySerializer})
    def get(self, request: Request) -> Response:
        row = PhonePerformance.objects.first()
        no_calls = {"total_calls": 0, "unique_callers": 0}
        nothing = {"phone_id": request.auth.phone_id, **no_calls}  # type: ignore[union-attr]
        columns = ("phone_id", "total_calls", "avg_duration", "unique_callers", "success_rate")
        numbers = {name: getattr(row, name) if row else nothing.get(name) for name in columns}
        return Response(SummarySerializer({**numbers, "as_of": summary_as_of()}).data)
