"""The answer to "what to do now", and its form in the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from decisions.conditions import AnyValue, NotValue, Part, Value
from decisions.hours import HoursAtMoment
from decisions.line_settings import RuleType

# not_applicable: a true rule of type hours while the line is not closed.
# not_reached: after the first true rule of its type.
Result = Literal["won", "not_applicable", "pending", "false", "not_reached", "inactive"]


@dataclass(slots=True)
class TracedRule:
    id: UUID
    rule_type: RuleType
    result: Result
    conditions: Part


@dataclass(frozen=True, slots=True)
class Pending:
    """A rule that could still win, and the names of the facts that it waits for."""

    id: UUID
    waits_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypeDecision:
    """The rule that wins, and the unknown ones before it in their order."""

    winner: UUID | None
    pending: tuple[Pending, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """`trace` has every rule of the line, in the order in which they are tried."""

    hours: HoursAtMoment
    decisions: Mapping[RuleType, TypeDecision]
    trace: tuple[TracedRule, ...]


def as_document(answer: Answer) -> dict[str, Any]:
    """The answer as JSON: ids as texts, instants as 2026-12-24T11:00:00.000000Z."""
    return {
        "hours": hours_as_document(answer.hours),
        "decisions": {
            rule_type: _decision(decision) for rule_type, decision in answer.decisions.items()
        },
        "trace": [_traced(rule) for rule in answer.trace],
    }


def hours_as_document(hours: HoursAtMoment) -> dict[str, Any]:
    """`hours` of the answer as JSON."""
    row = hours.decided_by
    return {
        "is_open": hours.is_open,
        "since": _instant(hours.since),
        "until": _instant(hours.until),
        "reason": hours.reason,
        "decided_by": row and {"table": row.table, "id": str(row.id)},
    }


def _instant(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _decision(decision: TypeDecision) -> dict[str, Any]:
    return {
        "winner": decision.winner and str(decision.winner),
        "pending": [
            {"id": str(rule.id), "waits_for": list(rule.waits_for)} for rule in decision.pending
        ],
    }


def _traced(rule: TracedRule) -> dict[str, Any]:
    return {
        "id": str(rule.id),
        "rule_type": rule.rule_type,
        "result": rule.result,
        **_part(rule.conditions),
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "value": part.truth,
        "conditions": {name: _value(value) for name, value in part.conditions.items()},
    }


def _value(value: Value) -> str | dict[str, Any]:
    if isinstance(value, AnyValue):
        return {"value": value.truth, "of": [_part(part) for part in value.parts]}
    if isinstance(value, NotValue):
        return {"value": value.truth, "of": _part(value.part)}
    return value
