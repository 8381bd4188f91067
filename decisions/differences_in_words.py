"""The differences at one call in the words of the line's owner: before, after, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from decisions.answer import Answer, Pending, as_document
from decisions.backtest import ChangedCall
from decisions.comparison import Comparison, Difference, Kind, PastCall, Version
from decisions.decision import decide
from decisions.explanation import ExplainedRule, ExplainedType, Explanation, explain
from decisions.line_settings import RuleType


@dataclass(frozen=True)
class Side:
    """What one version of the settings decides; of hours there are no rules."""

    sentence: str
    is_open: bool | None
    winner: UUID | None = None
    pending: tuple[Pending, ...] = ()


@dataclass(frozen=True)
class ExplainedDifference:
    kind: Kind
    rule_type: RuleType | None
    before: Side
    after: Side
    why: str


def explained(comparison: Comparison, changed: ChangedCall) -> list[ExplainedDifference]:
    """Takes two whole decisions: for the calls that are shown, not for all that are counted."""
    before = _Decided(comparison.before, changed.call)
    after = _Decided(comparison.after, changed.call)
    return [_explained(difference, before, after) for difference in changed.differences]


class _Decided:
    """A call by one version of the settings."""

    def __init__(self, version: Version, call: PastCall) -> None:
        self.answer: Answer = decide(version.line, at=call.moment, facts=call.facts)
        self.words: Explanation = explain(
            as_document(self.answer), version.document, at=call.moment, facts=call.facts
        )

    def of_type(self, rule_type: RuleType) -> ExplainedType:
        return self.words.of(rule_type)

    def hours(self) -> Side:
        return Side(f"{self.words.hours.state}.", self.answer.hours.is_open)

    def side(self, rule_type: RuleType) -> Side:
        decision = self.answer.decisions[rule_type]
        winner = self.of_type(rule_type).winner
        return Side(
            winner.sentence if winner else "No rule applies.",
            self.answer.hours.is_open,
            decision.winner,
            decision.pending,
        )


def _explained(difference: Difference, before: _Decided, after: _Decided) -> ExplainedDifference:
    kind, rule_type = difference
    if rule_type is None:
        then, now = (each.words.hours.reason for each in (before, after))
        why = f"Before: {then}. After: {now}."
        return ExplainedDifference(kind, rule_type, before.hours(), after.hours(), why)
    why = " ".join(_reasons(before.of_type(rule_type), after.of_type(rule_type)))
    return ExplainedDifference(kind, rule_type, before.side(rule_type), after.side(rule_type), why)


def _reasons(before: ExplainedType, after: ExplainedType) -> Iterator[str]:
    """About the rules that won, and those that could have."""
    then, now = before.winner, after.winner
    if then and now and then.id == now.id and then.does != now.does:
        yield "The same rule applies, and does something else."
    elif then and (not now or then.id != now.id):
        rule = _rule(after, then.id)
        yield f"Now {_lowered(rule.sentence)}" if rule else f"{then.title} was deleted."
    if now and (not then or then.id != now.id):
        rule = _rule(before, now.id)
        yield f"Before, {_lowered(rule.sentence)}" if rule else f"{now.title} is new."
    waiting = {rule.sentence for side in (before, after) for rule in side.pending}
    yield from sorted(waiting - {rule.sentence for rule in (then, now) if rule})


def _rule(explained_type: ExplainedType, rule_id: str) -> ExplainedRule | None:
    found = (explained_type.winner, *explained_type.pending, *explained_type.others)
    return next((rule for rule in found if rule and rule.id == rule_id), None)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
