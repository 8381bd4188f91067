"""The calls counted by statistics: a filter of the lists, and the query string for it."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from api.serializer_fields import BLANK_FOR_PLUS
from backoffice.filters import FormFilter
from calls.duration import MEASURED, SUCCESSFUL
from calls.models import LIVE, CallStatus

# As the statistics count them.
REACHED = {
    "answered": Q(status__in=[CallStatus.ANSWERED, CallStatus.COMPLETED]),
    "completed": SUCCESSFUL,
    "live": Q(status__in=LIVE),
    "measured": MEASURED,
}


class StatisticsPeriodForm(forms.Form):
    since = forms.DateTimeField(label="Since", required=False)
    until = forms.DateTimeField(label="Before", required=False)
    reached = forms.ChoiceField(
        label="Calls",
        required=False,
        choices=[
            ("", "All"),
            ("answered", "Answered or completed"),
            ("completed", "Completed"),
            ("live", "In progress"),
            ("measured", "Length known"),
        ],
    )


class StatisticsPeriodFilter(FormFilter):
    """Calls of a period that reached a status; shown only after a link from the statistics."""

    title = "counted calls"
    parameters = ("since", "until", "reached")

    def has_output(self) -> bool:
        return bool(self.used_parameters)

    def make_form(self, data: dict[str, Any] | None) -> forms.Form:
        moments = {
            name: BLANK_FOR_PLUS.sub("+", value)
            for name, value in (data or {}).items()
            if name != "reached" and "T" in value
        }
        return StatisticsPeriodForm(data and data | moments)

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        if chosen["since"]:
            queryset = queryset.filter(created_at__gte=chosen["since"])
        if chosen["until"]:
            queryset = queryset.filter(created_at__lt=chosen["until"])
        if chosen["reached"]:
            queryset = queryset.filter(REACHED[chosen["reached"]])
        return queryset


def calls_query(
    *, line: str, since: datetime, until: datetime, reached: str = ""
) -> dict[str, str]:
    """The query string of a list, for the calls of a line in [since, until)."""
    only = {"reached": reached} if reached else {}
    return {"line": line, "since": _written(since), "until": _written(until), **only}


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
