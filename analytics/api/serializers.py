"""The parameters and responses of statistics."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from rest_framework import serializers

from analytics.definitions import DEFINITIONS
from api.serializer_fields import (
    InstantField,
    MomentField,
    NumberField,
    StrictSerializer,
    TimezoneField,
)
from calls.outcomes import OUTCOME_HELP, CallOutcome

# Days of a range. Two years by month, and one with which to compare them.
MAX_RANGE = {"day": 400, "weekday": 400, "week": 800, "month": 800}
MAX_HOURS = 31 * 24


class RangeSerializer(StrictSerializer):
    is_json = False

    timezone = TimezoneField(
        required=False, help_text="The time zone of the buckets; the line's own by default."
    )
    compare = serializers.ChoiceField(
        ["previous"], required=False, help_text="Adds the preceding period of the same length."
    )


class OutcomesQuery(RangeSerializer):
    examples: ClassVar[dict[str, Any]] = {
        "first": "2026-03-01",
        "last": "2026-03-31",
        "timezone": "Europe/Berlin",
    }
    first = serializers.DateField()
    last = serializers.DateField(help_text="Included.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs["first"], attrs["last"]
        if last < first:
            raise serializers.ValidationError({"last": "Must not be before first."})
        group_by = attrs.get("group_by", "day")
        if (last - first).days >= MAX_RANGE[group_by]:
            longest = MAX_RANGE[group_by]
            raise serializers.ValidationError({"last": f"At most {longest} days by {group_by}."})
        if not date(1970, 1, 1) <= first <= last <= date(2200, 1, 1):
            raise serializers.ValidationError({"first": "Must be between 1970 and 2200."})
        return attrs


class DailyQuery(OutcomesQuery):
    group_by = serializers.ChoiceField(["day", "week", "month", "weekday"], default="day")
    week_start = serializers.ChoiceField(
        ["monday", "sunday"], default="monday", help_text="The first day of a week."
    )


class HourlyQuery(RangeSerializer):
    examples: ClassVar[dict[str, Any]] = {
        "since": "2026-03-10T08:00:00Z",
        "until": "2026-03-10T18:00:00Z",
        "timezone": "Europe/Berlin",
    }
    since = InstantField(help_text="The start of an hour in the time zone, or in UTC.")
    until = InstantField(help_text="Not included.")
    group_by = serializers.ChoiceField(["hour", "hour_of_day"], default="hour")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        since, until = attrs["since"], attrs["until"]
        if not datetime(1970, 1, 1, tzinfo=UTC) <= since <= datetime(2200, 1, 1, tzinfo=UTC):
            raise serializers.ValidationError({"since": "Must be between 1970 and 2200."})
        if not since < until <= since + timedelta(hours=MAX_HOURS):
            raise serializers.ValidationError(
                {"until": f"Must be 1 to {MAX_HOURS} hours after since."}
            )
        return attrs


class CountsSerializer(serializers.Serializer[Any]):
    total_calls = serializers.IntegerField(help_text=DEFINITIONS["total_calls"])
    answered_calls = serializers.IntegerField(help_text=DEFINITIONS["answered_calls"])
    successful_calls = serializers.IntegerField(help_text=DEFINITIONS["successful_calls"])
    live_calls = serializers.IntegerField(help_text=DEFINITIONS["live_calls"])
    measured_calls = serializers.IntegerField(help_text=DEFINITIONS["measured_calls"])
    total_duration = serializers.IntegerField(help_text=DEFINITIONS["total_duration"])
    average_duration = NumberField(
        max_digits=12,
        decimal_places=2,
        allow_null=True,
        help_text=DEFINITIONS["average_duration"],
    )
    unique_callers = serializers.IntegerField(
        allow_null=True,
        help_text=f"{DEFINITIONS['unique_callers']} Null where some calls were removed by"
        " retention.",
    )


class BucketSerializer(CountsSerializer):
    bucket = serializers.CharField(
        help_text="A day, the first day of a week or month, an hour, or 0 to 23, 0 to 6. The last"
        " hour is a part of one where the range is not of whole hours."
    )


class PeriodSerializer(serializers.Serializer[Any]):
    since = MomentField()
    until = MomentField()
    total = CountsSerializer()
    buckets = BucketSerializer(
        many=True, help_text="All buckets of the range, including empty ones."
    )


class StatsSerializer(PeriodSerializer):
    timezone = serializers.CharField()
    group_by = serializers.CharField()
    as_of = MomentField(help_text="The numbers are exact as of this moment.")
    previous = PeriodSerializer(required=False)


class OutcomeCountsSerializer(serializers.Serializer[Any]):
    """Calls by outcome; those of months that retention removed are not_known."""

    def get_fields(self) -> dict[str, Any]:
        return {
            outcome.value: serializers.IntegerField(help_text=outcome.label)
            for outcome in CallOutcome
        }


class OutcomesOfPeriodSerializer(serializers.Serializer[Any]):
    since = MomentField()
    until = MomentField()
    total_calls = serializers.IntegerField(help_text=DEFINITIONS["total_calls"])
    outcomes = OutcomeCountsSerializer(help_text=OUTCOME_HELP)


class OutcomeStatsSerializer(OutcomesOfPeriodSerializer):
    timezone = serializers.CharField()
    as_of = MomentField(help_text="The numbers are exact as of this moment.")
    previous = OutcomesOfPeriodSerializer(required=False)


class SummarySerializer(serializers.Serializer[Any]):
    phone_id = serializers.CharField()
    total_calls = serializers.IntegerField(help_text=DEFINITIONS["total_calls"])
    avg_duration = serializers.FloatField(
        allow_null=True, help_text=DEFINITIONS["average_duration"]
    )
    unique_callers = serializers.IntegerField(help_text=DEFINITIONS["unique_callers"])
    success_rate = serializers.FloatField(allow_null=True, help_text=DEFINITIONS["success_rate"])
    as_of = MomentField(allow_null=True, help_text="Null before the first refresh.")
