"""Which rule of a line decides at a moment, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from uuid import UUID

from decisions.answer import Answer, Pending, Result, TracedRule, TypeDecision
from decisions.calendar import Calendar
from decisions.conditions import EvaluatePart, prepare_conditions, waits_for
from decisions.hours import hours_at
from decisions.line_settings import LineSettings, Rule, RuleType
from decisions.situation import Facts, Situation, situation
from decisions.truth import Truth
from decisions.zones import to_instant

RULE_TYPES: tuple[RuleType, ...] = get_args(RuleType)


@dataclass(frozen=True)
class PreparedLine:
    """The settings of a line, made ready for many decisions; threads may share one."""

    calendar: Calendar
    rules: tuple[tuple[Rule, EvaluatePart], ...]


def prepare(settings: LineSettings) -> PreparedLine:
    """Raises UnknownTimezone, DuplicateRow and UnknownCondition."""
    rules = sorted(settings.conversation_rules, key=_by_turn)
    return PreparedLine(
        calendar=Calendar(settings),
        rules=tuple((rule, prepare_conditions(rule.conditions)) for rule in rules),
    )


def decide(line: LineSettings | PreparedLine, *, at: datetime, facts: Facts) -> Answer:
    """Raises what prepare raises, and ValueError for a moment without a time zone."""
    if isinstance(line, LineSettings):
        line = prepare(line)
    hours = hours_at(line.calendar, at)
    wall_time = line.calendar.zone.wall_time(to_instant(at))
    asked_about = situation(facts=facts, is_open=hours.is_open, wall_time=wall_time)
    trace = tuple(_trace(line.rules, asked_about))
    return Answer(hours=hours, decisions=_decisions(trace), trace=trace)


def _by_turn(rule: Rule) -> tuple[int, datetime, int]:
    return -rule.priority, rule.created_at, rule.id.int


def _trace(
    rules: Iterable[tuple[Rule, EvaluatePart]], situation: Situation
) -> Iterable[TracedRule]:
    decided: set[RuleType] = set()
    for rule, evaluate in rules:
        values = evaluate(situation)
        result = _result(rule, values.truth, situation)
        if rule.is_active and rule.rule_type in decided:
            result = "not_reached"
        elif result in ("won", "not_applicable"):
            decided.add(rule.rule_type)
        yield TracedRule(rule.id, rule.rule_type, result, values)


def _result(rule: Rule, truth: Truth, situation: Situation) -> Result:
    """Of a rule that is tried: no earlier one of its type is true."""
    if not rule.is_active:
        return "inactive"
    if truth == "unknown":
        return "pending"
    if truth == "false":
        return "false"
    if rule.rule_type == "hours" and situation.is_open is not False:
        return "not_applicable"
    return "won"


def _decisions(trace: Iterable[TracedRule]) -> dict[RuleType, TypeDecision]:
    winners: dict[RuleType, UUID] = {}
    pending: dict[RuleType, list[Pending]] = {rule_type: [] for rule_type in RULE_TYPES}
    for rule in trace:
        if rule.result == "won":
            winners[rule.rule_type] = rule.id
        elif rule.result == "pending":
            facts = tuple(sorted(set(waits_for(rule.conditions))))
            pending[rule.rule_type].append(Pending(rule.id, facts))
    return {
        rule_type: TypeDecision(winners.get(rule_type), tuple(pending[rule_type]))
        for rule_type in RULE_TYPES
    }
