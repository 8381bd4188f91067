"""Before settings are saved: what they would have changed in the last 30 days, and conflicts.

The form is posted as it is filled in, by a script or with a button, and nothing is stored.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from backoffice.display import plural
from calls.models import Call, CallArchive
from calls.transfers import failing_targets
from decisions.backtest import ChangedCall, Counts, backtest, result_of
from decisions.comparison import Comparison, Difference, PastCall
from decisions.conflicts import Conflict, conflicts
from decisions.differences_in_words import ExplainedDifference, explained
from decisions.explanation import difference_in_words
from decisions.past_facts import past_calls
from decisions.stored_settings import settings_of
from decisions.unreadable_rules import unreadable_rules
from tenancy import tenant
from tenants.models import PhoneNumber

SPAN = timedelta(days=30)
MAX_CALLS = 10_000
# Of the newest that differ, those are shown first that would change whatever is not known.
CALLS_COMPARED, CALLS_SHOWN = 500, 10

Document = Mapping[str, Any]


@dataclass(frozen=True)
class ShownCall:
    """A call that would change, with its page in the admin, and each difference with its title."""

    call: PastCall
    link: str | None
    differences: list[tuple[str, ExplainedDifference]]


@dataclass(frozen=True)
class Preview:
    """`is_cut` is whether only the newest calls were looked at."""

    counts: Counts
    calls: list[ShownCall]
    has_more: bool
    is_cut: bool
    conflicts: list[Conflict]
    max_calls: int = MAX_CALLS

    @property
    def summary(self) -> str:
        counts = self.counts
        if not counts.total:
            return f"No calls came in the last {SPAN.days} days."
        changed = f"{counts.would_change:,}" if counts.would_change else "None"
        return f"{changed} of {plural(counts.total, 'call')} would have been decided otherwise."

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """The differences in words, with the number of calls; the most frequent first."""
        return [(difference_in_words(kind), n) for kind, n in self.counts.by_kind.most_common()]


def preview_response(
    request: HttpRequest,
    line: PhoneNumber,
    draft: Document | None,
    *,
    rule: str | None = None,
    context: Mapping[str, Any],
) -> HttpResponse:
    """A part of a page for the script that asked for it, or a whole page for people.

    `draft` has the tables that the form is about, None where the form would be refused; needs the
    scope of the line. With the id of a rule, the conflicts are those of this rule.
    """
    shown: dict[str, Any] = {"line": line}
    with tenant(line.pk):
        stored = settings_of(line.pk)
        if draft is None:
            shown["problem"] = "The form is not complete yet, or has a mistake."
        elif stored is None or unreadable_rules(stored.document):
            shown["problem"] = "The line has a rule that cannot be read: correct it first."
        else:
            now = timezone.now()
            after = {**stored.document, **draft}
            shown["preview"] = preview(line, stored.document, after, rule=rule, now=now)
    if request.headers.get("X-Requested-With") == "fetch":
        return TemplateResponse(request, "decisions/preview.html", shown)
    return TemplateResponse(request, "decisions/preview_page.html", {**context, **shown})


def preview(
    line: PhoneNumber, before: Document, after: Document, *, rule: str | None, now: datetime
) -> Preview:
    """Of two documents of settings; needs the line's scope."""
    comparison = Comparison(before, after)
    calls = past_calls(line.pk, since=now - SPAN, until=now, facts=comparison.facts)
    found = backtest(comparison, islice(calls, MAX_CALLS), limit=CALLS_COMPARED)
    is_cut = found.counts.total == MAX_CALLS and next(calls, None) is not None
    calls.close()
    first = sorted(found.changed, key=lambda each: result_of(each.differences) != "would_change")
    return Preview(
        found.counts,
        _shown(comparison, first[:CALLS_SHOWN]),
        len(first) > CALLS_SHOWN,
        is_cut,
        _conflicts(line, after, rule=rule, now=now),
    )


def _shown(comparison: Comparison, changed: Sequence[ChangedCall]) -> list[ShownCall]:
    links = _links([each.call.id for each in changed])
    return [
        ShownCall(
            each.call,
            links.get(each.call.id),
            [
                (difference_in_words(Difference(one.kind, one.rule_type)), one)
                for one in explained(comparison, each)
            ],
        )
        for each in changed
    ]


def _links(ids: Collection[UUID]) -> dict[UUID, str]:
    models: tuple[Any, ...] = (Call, CallArchive)
    return {
        key: reverse(f"admin:calls_{model._meta.model_name}_change", args=[key])
        for model in models
        for key in model.objects.filter(pk__in=ids).values_list("pk", flat=True)
    }


def _conflicts(
    line: PhoneNumber, settings: Document, *, rule: str | None, now: datetime
) -> list[Conflict]:
    """Those of one rule, or those that hours have a part in."""
    failing = failing_targets(line.pk, now=now) if rule else []
    found = conflicts(settings, number=line.number, now=now, failing=failing)
    if rule:
        return [each for each in found if UUID(rule) in each.rules]
    return [each for each in found if not each.rules or each.code == "hours_not_set"]
