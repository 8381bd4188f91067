"""The filters of live and archived calls, with the same parameters in both lists."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from backoffice.display import plural
from backoffice.filters import FormFilter
from backoffice.paging import TIME_LIMIT, time_limit
from calls.duration import MEASURED
from calls.models import LIVE, LOW_CONFIDENCE, CallStatus
from calls.outcomes import CallOutcome, that_ended
from calls.search.words import matching_words
from tenancy.models import InScope


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "In progress now"), *CallStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        # In this form the planner sees that idx_active_calls has all the rows.
        return queryset.filter(status__in=LIVE if chosen == "live" else [chosen])


class ArchivedStatusFilter(StatusFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(CallStatus.choices)


class OutcomeFilter(admin.SimpleListFilter):
    """How calls ended."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(CallOutcome.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen not in CallOutcome.values:
            return queryset  # of no rows, where another value was given
        return that_ended(queryset, CallOutcome(str(chosen)))


class ArchivedOutcomeFilter(OutcomeFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [one for one in CallOutcome.choices if one[0] != CallOutcome.IN_PROGRESS]


class ConfidenceFilter(admin.SimpleListFilter):
    title = "AI confidence"
    parameter_name = "confidence"
    bounds: ClassVar = {"low": LOW_CONFIDENCE, "fair": Decimal("0.7")}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, f"Below {bound}") for name, bound in self.bounds.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        bound = self.bounds.get(self.value() or "")
        return queryset if bound is None else queryset.filter(ai_confidence__lt=bound)


class RecordingFilter(admin.SimpleListFilter):
    title = "recording"
    parameter_name = "recording"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "With a recording"), ("no", "Without")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(recording_url__isnull=self.value() == "no")


class TagForm(forms.Form):
    tag = forms.CharField(label="Tag", required=False)


class TagFilter(FormFilter):
    """Rows that have exactly this tag."""

    title = "tag"
    parameters = ("tag",)
    field = "tags"

    def make_form(self, data: dict[str, Any] | None) -> forms.Form:
        return TagForm(data)

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        tag = chosen["tag"]
        return queryset.filter(**{f"{self.field}__contains": [tag]}) if tag else queryset


class CallTagFilter(TagFilter):
    field = "metadata__tags"

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        # The same as row level security, in a form whose selectivity the planner can estimate.
        narrowed = super().narrow(queryset, chosen)
        return narrowed.filter(InScope("metadata__phone_id")) if chosen["tag"] else narrowed


class WordsForm(forms.Form):
    words = forms.CharField(
        label="Words",
        max_length=200,
        required=False,
        widget=forms.TextInput({"placeholder": 'refund "new tyres" -spam'}),
    )


class WordsFilter(FormFilter):
    """Calls whose transcript or summary contains these words, in any order and form."""

    title = "what was said"
    parameters = ("words",)

    def make_form(self, data: dict[str, Any] | None) -> forms.Form:
        return WordsForm(data)

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        if not chosen["words"]:
            return queryset
        with time_limit(TIME_LIMIT):
            narrowed, self.can_be_estimated = matching_words(queryset, chosen["words"])
        return narrowed


class DurationForm(forms.Form):
    longer = forms.IntegerField(label="At least (seconds)", required=False, min_value=0)
    shorter = forms.IntegerField(label="At most (seconds)", required=False, min_value=0)

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        longer, shorter = chosen.get("longer"), chosen.get("shorter")
        if longer is not None and shorter is not None and longer > shorter:
            raise forms.ValidationError("the minimum is above the maximum.")
        return chosen


class DurationFilter(FormFilter):
    """Calls of a known duration in a range of seconds, both ends included."""

    title = "duration"
    parameters = ("longer", "shorter")

    def make_form(self, data: dict[str, Any] | None) -> forms.Form:
        return DurationForm(data)

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        # The maximum of PostgreSQL's integer, and so of durations.
        longer, shorter = (
            None if chosen[name] is None else min(chosen[name], 2**31 - 1)
            for name in self.parameters
        )
        if longer is None and shorter is None:
            return queryset
        queryset = queryset.filter(MEASURED)
        if longer is not None:
            queryset = queryset.filter(duration__gte=longer)
        return queryset if shorter is None else queryset.filter(duration__lte=shorter)


MAX_PERIODS = 100
Period = tuple[datetime, datetime]


class PeriodsForm(forms.Form):
    within = forms.CharField(label="Within", required=False)

    def clean_within(self) -> list[Period]:
        """Reads ISO 8601 intervals, such as 2026-11-02T17:00:00Z/2026-11-03T09:00:00Z."""
        texts = self.cleaned_data["within"].split()
        try:
            periods = [read_period(text) for text in texts]
        except ValueError:
            raise forms.ValidationError(
                "write each as 2026-11-02T17:00:00Z/2026-11-03T09:00:00Z, with spaces between."
            ) from None
        if len(periods) > MAX_PERIODS:
            raise forms.ValidationError(f"at most {MAX_PERIODS} at once.")
        return periods


def read_period(text: str) -> Period:
    begins, ends = map(datetime.fromisoformat, text.split("/"))
    if begins.utcoffset() is None or ends.utcoffset() is None or begins >= ends:
        raise ValueError(text)
    return begins, ends


def write_periods(periods: Iterable[Period]) -> str:
    """The value of the parameter `within` for these."""
    return " ".join(
        "/".join(f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" for end in period)
        for period in periods
    )


class PeriodsFilter(FormFilter):
    """Calls that began within one of some periods, as links to the calls of a gap have them.

    A period includes the moment at which it begins, and not the one at which it ends.
    """

    title = "periods"
    parameters = ("within",)

    def has_output(self) -> bool:
        return bool(self.used_parameters)

    def make_form(self, data: dict[str, Any] | None) -> forms.Form:
        return PeriodsForm(data)

    def describe(self) -> str:
        periods = self.form.cleaned_data.get("within") if self.form.is_valid() else None
        if not periods:
            return super().describe()
        first, last = (timezone.localtime(moment) for moment in (min(periods)[0], max(periods)[1]))
        return f"{plural(len(periods), 'period')}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        periods: list[Period] = chosen["within"]
        if not periods:
            return queryset
        within = Q()
        for begins, ends in periods:
            within |= Q(created_at__gte=begins, created_at__lt=ends)
        # The two ends bound what is read, whatever the planner makes of the rest.
        first, last = min(periods)[0], max(ends for _, ends in periods)
        return queryset.filter(within, created_at__gte=first, created_at__lt=last)


class HoldFilter(admin.SimpleListFilter):
    """Served by idx_calls_legal_hold."""

    title = "legal hold"
    parameter_name = "hold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Under legal hold")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(legal_hold=True) if self.value() == "yes" else queryset
