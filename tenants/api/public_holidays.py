"""Public holidays, to be accepted as special days one by one or all."""

from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import IDEMPOTENCY_KEY, documented
from api.errors import Conflict, Invalid
from api.idempotency import idempotent
from api.parameters import validated
from api.permissions import KeyScope
from api.serializer_fields import DayField, StrictSerializer
from api.views import LineView
from tenants.api.opening_hours import SPECIAL_DAYS
from tenants.api.rows import MAX_ROWS
from tenants.api.serializers import SpecialDaySerializer
from tenants.models import PhoneNumber, SpecialDay, VoiceSettings
from tenants.public_holidays import (
    PublicHoliday,
    UnknownRegion,
    public_holidays,
    subdivisions,
)

YEARS = (1970, 2200)


class HolidaysSerializer(StrictSerializer):
    """Which holidays: by default those of the line's country in its present year."""

    examples: ClassVar[dict[str, Any]] = {"country": "DE", "subdivision": "BE", "year": 2026}

    country = serializers.CharField(
        required=False, max_length=2, help_text="An ISO 3166 code; default: the number's country."
    )
    subdivision = serializers.CharField(
        required=False, max_length=20, help_text="A code of `subdivisions`, for its own holidays."
    )
    year = serializers.IntegerField(
        required=False, min_value=YEARS[0], max_value=YEARS[1], help_text="Default: this year."
    )


class HolidaysQuery(HolidaysSerializer):
    is_json = False


class AcceptedHolidaysSerializer(HolidaysSerializer):
    dates = serializers.ListField(
        child=DayField(),
        required=False,
        min_length=1,
        max_length=366,
        help_text="The holidays to accept; default: all.",
    )


class OfferedHolidaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    label = serializers.CharField()  # type: ignore[assignment]  # a name of Field's own
    special_day = serializers.UUIDField(
        allow_null=True, help_text="The special day that the line already has on this date."
    )


class OfferSerializer(serializers.Serializer[Any]):
    country = serializers.CharField()
    subdivision = serializers.CharField(allow_null=True)
    year = serializers.IntegerField()
    subdivisions = serializers.DictField(
        child=serializers.CharField(), help_text="Names of the country's parts by their codes."
    )
    results = OfferedHolidaySerializer(many=True)


@extend_schema_view(
    get=documented({200: OfferSerializer}, parameters=[HolidaysQuery]),
    post=documented(
        {200: SPECIAL_DAYS},
        request=AcceptedHolidaysSerializer,
        refusals=[409, 422],
        parameters=[IDEMPOTENCY_KEY],
    ),
)
class PublicHolidays(LineView):
    """GET offers the public holidays of a country; POST makes special days of them.

    Accepted holidays are closed days. A date that already is a special day stays as it is. The
    answer of POST has the special days of all accepted dates.
    """

    scopes = {"GET": KeyScope.READ, "POST": KeyScope.WRITE}

    def get(self, request: Request) -> Response:
        wanted = _completed(validated(HolidaysQuery, request))
        found = _found(wanted, member="parameter")
        days = dict(
            SpecialDay.objects.filter(date__in=[day.date for day in found]).values_list(
                "date", "id"
            )
        )
        offered = [{**day._asdict(), "special_day": days.get(day.date)} for day in found]
        answer = {
            **wanted,
            "subdivisions": subdivisions(wanted["country"]),
            "results": offered,
        }
        return Response(OfferSerializer(answer).data)

    def post(self, request: Request) -> Response:
        return idempotent(request, lambda: self._accept(request))

    def _accept(self, request: Request) -> Response:
        asked = AcceptedHolidaysSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = {
            day.date: day for day in _found(_completed(asked.validated_data), member="pointer")
        }
        dates: list[date] = asked.validated_data.get("dates", list(found))
        if wrong := [number for number, day in enumerate(dates) if day not in found]:
            raise Invalid(
                [
                    {
                        "pointer": f"#/dates/{number}",
                        "detail": "No public holiday is on this date.",
                    }
                    for number in wrong
                ]
            )
        PhoneNumber.objects.select_for_update(no_key=True).get()  # one addition at a time
        SpecialDay.objects.bulk_create(
            [SpecialDay(date=day, label=found[day].label, is_closed=True) for day in dates],
            ignore_conflicts=True,
        )
        if SpecialDay.objects.count() > MAX_ROWS:
            raise Conflict(f"A line can have at most {MAX_ROWS} special days. Delete some first.")
        rows = SpecialDay.objects.filter(date__in=dates).prefetch_related("intervals")
        return Response({"results": SpecialDaySerializer(rows, many=True).data})


def _completed(asked: dict[str, Any]) -> dict[str, Any]:
    line = PhoneNumber.objects.get()
    return {
        "country": asked.get("country", line.region).upper(),
        "subdivision": asked.get("subdivision"),
        "year": asked.get("year") or timezone.now().astimezone(ZoneInfo(line.timezone)).year,
    }


def _found(wanted: dict[str, Any], *, member: str) -> list[PublicHoliday]:
    """Raises Invalid, which names the country or the subdivision as a parameter or by pointer."""
    language = VoiceSettings.objects.values_list("language", flat=True).first() or "en-US"
    name = "country"
    try:
        subdivisions(wanted["country"])
        name = "subdivision"
        return public_holidays(**wanted, language=language)
    except UnknownRegion as error:
        at = {"parameter": name} if member == "parameter" else {"pointer": f"#/{name}"}
        raise Invalid([{**at, "detail": str(error)}]) from None
