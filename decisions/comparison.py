"""Two settings of a line compared at one call: what would have been decided otherwise.

Of each rule type, the result is the rule that wins, with its actions, or none. Where facts are
unknown it is a set of results, of which the facts would choose. A call would change when the two
results differ whatever the unknown facts are; it cannot be told when that depends on them.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple
from uuid import UUID

from database import exact_json
from decisions.conditions import EvaluatePart, as_texts, facts_in, names_in, unknown_part
from decisions.decision import RULE_TYPES, PreparedLine, prepare
from decisions.line_settings import RuleType
from decisions.settings_document import line_settings
from decisions.situation import Facts, Situation, situation
from decisions.truth import Truth
from decisions.zones import to_instant

Kind = Literal[
    "became_open",
    "became_closed",
    "another_rule_wins",
    "rule_wins_now",
    "no_rule_wins",
    "other_actions",
    "cannot_be_told",
]
HOURS = ("timezone", "business_hours", "business_hours_intervals", "special_days")


class PastCall(NamedTuple):
    """`moment` is that of the decision, `created_at` that of the call's beginning."""

    id: UUID
    created_at: datetime
    moment: datetime
    facts: Facts


class Difference(NamedTuple):
    """`rule_type` is None for hours. Hours that are not set count as open: no rule fires."""

    kind: Kind
    rule_type: RuleType | None = None


class WinningRule(NamedTuple):
    id: UUID
    actions: str  # as JSON


class Candidate(NamedTuple):
    """`number` is that of its conditions in the comparison, `texts` are their as_texts()."""

    number: int
    conditions: Mapping[str, Any]
    texts: Mapping[str, Any]
    evaluate: EvaluatePart
    result: WinningRule


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one type: the first of `pending` that turns out to be true wins, or else `winner`."""

    pending: Sequence[tuple[Hashable, WinningRule]]
    winner: WinningRule | None


NOTHING = Outcome((), None)


class Version:
    """A document of settings (decisions.settings_document), made ready."""

    def __init__(self, document: Mapping[str, Any], numbered: Callable[[str], int]) -> None:
        self.document = document
        self.line: PreparedLine = prepare(line_settings(document))
        self.candidates: dict[RuleType, list[Candidate]] = {kind: [] for kind in RULE_TYPES}
        actions = {
            UUID(rule["id"]): rule.get("actions", {}) for rule in document["conversation_rules"]
        }
        for rule, evaluate in self.line.rules:
            if rule.is_active:
                number = numbered(_text(rule.conditions))
                result = WinningRule(rule.id, _text(actions[rule.id]))
                texts = as_texts(rule.conditions)
                self.candidates[rule.rule_type].append(
                    Candidate(number, rule.conditions, texts, evaluate, result)
                )

    def is_open(self, instant: int) -> bool | None:
        calendar = self.line.calendar
        return bool(calendar.holding(instant)) if calendar.is_set else None

    def situation(self, facts: Facts, instant: int, is_open: bool | None) -> Situation:
        wall_time = self.line.calendar.zone.wall_time(instant)
        return situation(facts=facts, is_open=is_open, wall_time=wall_time)


class Comparison:
    """Of two documents of settings, for many calls.

    Raises UnknownTimezone, DuplicateRow and UnknownCondition.
    """

    def __init__(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        numbers: dict[str, int] = {}

        def numbered(conditions: str) -> int:
            return numbers.setdefault(conditions, len(numbers))

        self.before, self.after = Version(before, numbered), Version(after, numbered)
        self._is_one_calendar = all(before[name] == after[name] for name in HOURS)
        self._is_one_zone = before["timezone"] == after["timezone"]
        self._changed = tuple(kind for kind in RULE_TYPES if self._has_changed(kind))
        # Those that may differ at a call about which the two do not agree on open or closed.
        self._changed_with_hours = tuple(
            kind for kind in RULE_TYPES if kind in self._changed or self._depends_on_hours(kind)
        )

    @cached_property
    def facts(self) -> frozenset[str]:
        """The names of the facts on which a difference can depend."""
        kinds = self._changed if self._is_one_calendar else self._changed_with_hours
        return frozenset(
            fact
            for kind in (kinds if self._is_one_zone else RULE_TYPES)
            for version in (self.before, self.after)
            for candidate in version.candidates[kind]
            for fact in facts_in(candidate.conditions)
        )

    def differences(self, call: PastCall) -> list[Difference]:
        instant = to_instant(call.moment)
        was_open = is_open = self.before.is_open(instant)
        if not self._is_one_calendar:
            is_open = self.after.is_open(instant)
        found: list[Difference] = []
        kinds = self._changed if self._is_one_zone else RULE_TYPES
        if (was_open is False) is not (is_open is False):
            found.append(Difference("became_closed" if is_open is False else "became_open"))
            kinds = self._changed_with_hours if self._is_one_zone else RULE_TYPES
        if kinds:
            found.extend(self._of_rules(call, instant, kinds, was_open, is_open))
        return found

    def _has_changed(self, kind: RuleType) -> bool:
        before, after = (
            [(candidate.number, candidate.result) for candidate in version.candidates[kind]]
            for version in (self.before, self.after)
        )
        return before != after

    def _depends_on_hours(self, kind: RuleType) -> bool:
        return kind == "hours" or any(
            "outside_business_hours" in names_in(candidate.conditions)
            for version in (self.before, self.after)
            for candidate in version.candidates[kind]
        )

    def _of_rules(
        self,
        call: PastCall,
        instant: int,
        kinds: Sequence[RuleType],
        was_open: bool | None,
        is_open: bool | None,
    ) -> Iterator[Difference]:
        before = _Deciding(self.before.situation(call.facts, instant, was_open))
        after = before
        if not (self._is_one_zone and was_open is is_open):
            after = _Deciding(self.after.situation(call.facts, instant, is_open))
        for kind in kinds:
            then = before.outcome(kind, self.before.candidates[kind])
            now = after.outcome(kind, self.after.candidates[kind])
            if (difference := compared(then, now)) is not None:
                yield Difference(difference, kind)


class _Deciding:
    """One call by one settings; conditions that rules have in common are evaluated once."""

    def __init__(self, asked_about: Situation) -> None:
        self._situation = asked_about
        self._values: dict[int, tuple[Truth, Hashable]] = {}

    def outcome(self, kind: RuleType, candidates: Sequence[Candidate]) -> Outcome:
        if kind == "hours" and self._situation.is_open is not False:
            return NOTHING
        pending: list[tuple[Hashable, WinningRule]] = []
        for candidate in candidates:
            value = self._values.get(candidate.number)
            if value is None:
                value = self._values[candidate.number] = self._evaluate(candidate)
            truth, unknown = value
            if truth == "true":
                return Outcome(pending, candidate.result)
            if truth == "unknown":
                pending.append((unknown, candidate.result))
        return Outcome(pending, None)

    def _evaluate(self, candidate: Candidate) -> tuple[Truth, Hashable]:
        """And what is unknown of it."""
        part = candidate.evaluate(self._situation)
        unknown = unknown_part(candidate.texts, part) if part.truth == "unknown" else None
        return part.truth, unknown


def compared(before: Outcome, after: Outcome) -> Kind | None:
    """None where nothing changes, whatever is unknown.

    Exact if conditions that are not the same are independent of each other; in any case no change
    is claimed, and none denied, that depends on what is unknown.
    """
    if before == after:
        return None
    pairs = set(_pairs(before, after))
    if all(then == now for then, now in pairs):
        return None
    if any(then == now for then, now in pairs):
        return "cannot_be_told"
    if all(now is None for _, now in pairs):
        return "no_rule_wins"
    if all(then is None for then, _ in pairs):
        return "rule_wins_now"
    if all(then and now and then.id == now.id for then, now in pairs):
        return "other_actions"
    return "another_rule_wins"


def _pairs(
    before: Outcome, after: Outcome
) -> Iterator[tuple[WinningRule | None, WinningRule | None]]:
    """The results that the two may have together."""
    for assumed, then in _results(before, {}):
        for _, now in _results(after, assumed):
            yield then, now


def _results(
    outcome: Outcome, assumed: Mapping[Hashable, bool]
) -> Iterator[tuple[Mapping[Hashable, bool], WinningRule | None]]:
    """Each result that is possible, and what has to be assumed of the unknown for it."""
    known = dict(assumed)
    for unknown, result in outcome.pending:
        if unknown not in known:
            yield {**known, unknown: True}, result
            known[unknown] = False
        elif known[unknown]:
            yield known, result
            return
    yield known, outcome.winner


def _text(value: Any) -> str:
    text: str = exact_json.dumps(value, sort_keys=True)
    return text
