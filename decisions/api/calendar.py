"""The opening hours of a line as a calendar."""

from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import IF_NONE_MATCH, UNCHANGED, documented
from api.errors import Invalid
from api.parameters import validated
from api.permissions import KeyScope
from api.preconditions import answer_if_changed
from api.serializer_fields import DayField, MomentField, StrictSerializer
from api.views import LineView
from decisions.calendar import Calendar
from decisions.hours_warnings import hours_warnings
from decisions.line_settings import BusinessHours, FurtherInterval, SpecialDay
from decisions.stored_settings import settings_of
from decisions.timetable import timetable

MAX_DAYS = 400
TABLES = (BusinessHours.table, FurtherInterval.table, SpecialDay.table)


class CalendarQuery(StrictSerializer):
    is_json = False

    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=14)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python."""
        first = DayField(required=False, help_text="The first date of the line; default: today's.")
        return {"from": first, **super().get_fields()}


class RowSerializer(serializers.Serializer[Any]):
    table = serializers.ChoiceField(list(TABLES))
    id = serializers.UUIDField()


class SpanSerializer(serializers.Serializer[Any]):
    opens_at = MomentField(source="begin")
    closes_at = MomentField(source="end", help_text="Not included.")
    rows = RowSerializer(many=True, help_text="The rows behind it, by opening.")


class OverlapSerializer(serializers.Serializer[Any]):
    begins_at = MomentField(source="begin")
    ends_at = MomentField(source="end")
    rows = RowSerializer(many=True)


class GapSerializer(serializers.Serializer[Any]):
    closes_at = MomentField(source="begin")
    opens_at = MomentField(source="end", help_text="Or where the days end.")
    reason = serializers.ChoiceField(["weekly", "special_day", "closed_day", "no_hours_that_day"])
    decided_by = RowSerializer(allow_null=True)


class DaySpecialSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]  # a name of Field's own
    is_closed = serializers.BooleanField()


class DaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    special_day = DaySpecialSerializer(allow_null=True)
    intervals = SpanSerializer(
        many=True, help_text="Those that open on this date, one for each row, until they close."
    )


class WarningSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(["special_days_only", "other_timezone", "ignored_intervals"])
    detail = serializers.CharField()
    rows = RowSerializer(many=True)


class CalendarSerializer(serializers.Serializer[Any]):
    timezone = serializers.CharField()
    settings_version = serializers.CharField()
    is_set = serializers.BooleanField(help_text="Whether the line has any row of opening hours.")
    begins_at = MomentField(source="begin")
    ends_at = MomentField(source="end", help_text="Not included.")
    open = SpanSerializer(many=True, help_text="Merged intervals, cut off at both ends.")
    gaps = GapSerializer(many=True, help_text="The closed times between.")
    overlaps = OverlapSerializer(many=True, help_text="Times for which two rows are open.")
    days = DaySerializer(many=True)
    warnings = WarningSerializer(many=True)


class BusinessHoursCalendar(LineView):
    """The opening hours of up to 400 days, as the decisions about calls take them."""

    scopes = {"GET": KeyScope.READ}

    @documented(
        {200: CalendarSerializer, 304: UNCHANGED}, parameters=[CalendarQuery, IF_NONE_MATCH]
    )
    def get(self, request: Request) -> Response:
        query = validated(CalendarQuery, request)
        stored = settings_of(request.auth.phone_id)  # type: ignore[union-attr]
        assert stored is not None  # the credentials go with their line
        calendar = Calendar(stored.line_settings)
        first = (
            query.get("from")
            or timezone.now().astimezone(ZoneInfo(stored.line_settings.timezone)).date()
        )
        try:
            table = timetable(calendar, first, query["days"])
        except ValueError as error:
            raise Invalid([{"parameter": "from", "detail": str(error)}]) from None
        about = {
            "timezone": stored.line_settings.timezone,
            "settings_version": stored.version,
            "is_set": calendar.is_set,
            "warnings": list(hours_warnings(stored.line_settings)),
        }
        return answer_if_changed(request, CalendarSerializer({**vars(table), **about}).data)
