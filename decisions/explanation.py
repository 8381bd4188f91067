"""An answer in the words of the line's owner: what was decided, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from decisions.answer import Result
from decisions.comparison import Difference, Kind
from decisions.decision import RULE_TYPES
from decisions.hours_in_words import HoursInWords, number_of
from decisions.line_settings import RuleType
from decisions.situation import Facts
from decisions.truth import Truth
from tenants.rules.phrases import DAYS, joined
from tenants.rules.sentences import CONDITIONS, doing

YES_OR_NO = {"true": "yes", "false": "no", "unknown": "not known"}
TITLES: dict[RuleType, str] = {
    "greeting": "Greeting",
    "routing": "Routing",
    "transfer": "Transfer",
    "hours": "Hours",
}
FACTS: dict[str, str] = {
    "caller": "the caller's number",
    "first_time_caller": "whether the caller is new",
    "asks_for_person": "whether the caller asks for a person",
    "urgency": "the urgency",
    "sentiment": "how the caller sounds",
    "intent": "what the caller wants",
    "said": "what the caller says",
    "language": "the caller's language",
}
"""What a rule waits for."""
NAMES: dict[str, str] = {
    "caller": "Caller",
    "first_time_caller": "New caller",
    "asks_for_person": "Asks for a person",
    "urgency": "Urgency",
    "sentiment": "Sentiment",
    "intent": "Intent",
    "language": "Language",
    "said": "Words of the caller",
}
"""Of facts, in the order in which they are listed."""
DIFFERENCES: dict[Kind, str] = {
    "became_open": "open instead of closed",
    "became_closed": "closed instead of open",
    "another_rule_wins": "another rule applies",
    "rule_wins_now": "a rule applies where none did",
    "no_rule_wins": "no rule applies any more",
    "other_actions": "the same rule does something else",
    "cannot_be_told": "depends on what is not known",
}
# Facts that a condition is shown beside: short ones, which are not on the page anyway.
SHOWN_FACTS = ("urgency", "sentiment", "intent", "language")


@dataclass(frozen=True)
class Clause:
    """A condition, whether it holds, what was known (note), and its parts, if it has any."""

    text: str
    truth: Truth
    note: str = ""
    parts: tuple["Clause", ...] = ()

    @property
    def value(self) -> str:
        """yes, no, not known; with the note: no, it is low."""
        word = YES_OR_NO[self.truth]
        return f"{word}, {self.note}" if self.note else word

    def __str__(self) -> str:
        if not self.parts:
            return f"{self.text} ({self.value})"
        parts = "; ".join(map(str, self.parts))
        return f"{self.text} ({self.value}) [{parts}]"


@dataclass(frozen=True)
class ExplainedRule:
    """`does` is what the rule does, `clauses` are all of its conditions."""

    id: str
    rule_type: RuleType
    does: str
    priority: int
    result: Result
    clauses: tuple[Clause, ...]
    waits_for: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.does[:1].upper() + self.does[1:]

    @property
    def verdict(self) -> str:
        """Why the rule won or did not."""
        match self.result:
            case "won":
                return "applies"
            case "pending":
                return f"waits for {joined([FACTS[fact] for fact in self.waits_for], 'and')}"
            case "false":
                return "does not apply"
            case "not_reached":
                return f"not reached: an earlier {self.rule_type} rule applies"
            case "not_applicable":
                return "holds, but rules for closed hours apply only while the line is closed"
            case "inactive":
                return "switched off"

    @property
    def decisive(self) -> tuple[Clause, ...]:
        """The conditions behind the verdict: what failed, what is not known, or all that held."""
        shown = {"false": "false", "pending": "unknown", "won": "true"}.get(self.result)
        return tuple(clause for clause in self.clauses if clause.truth == shown)

    @property
    def sentence(self) -> str:
        """Transfer to Front desk because: the caller asks for a person (yes)."""
        because = ", ".join(map(str, self.decisive))
        if self.result == "won":
            return f"{self.title} because: {because or 'it always applies'}."
        return f"{self.title}: {self.verdict}{because and f': {because}'}."


@dataclass(frozen=True)
class ExplainedType:
    """What the rules of one type decided; each rule stands in one place."""

    rule_type: RuleType
    winner: ExplainedRule | None
    pending: tuple[ExplainedRule, ...]
    others: tuple[ExplainedRule, ...]

    @property
    def title(self) -> str:
        return TITLES[self.rule_type]

    @property
    def has_rules(self) -> bool:
        return bool(self.winner or self.pending or self.others)

    @property
    def outcome(self) -> str:
        """In one line, without the reasons."""
        if self.winner:
            before = ", unless an earlier rule turns out to apply" if self.pending else ""
            return f"{self.winner.title}{before}"
        if self.pending:
            return "Not decided yet"
        return "No rule applies" if self.has_rules else "No rules"


@dataclass(frozen=True)
class Explanation:
    """`at` is on the line's clock."""

    at: datetime
    hours: HoursInWords
    types: tuple[ExplainedType, ...]

    def of(self, rule_type: RuleType) -> ExplainedType:
        return self.types[RULE_TYPES.index(rule_type)]

    def __str__(self) -> str:
        lines = [f"{self.hours.state}: {self.hours.reason}."]
        for each in self.types:
            rules = [each.winner] if each.winner else []
            lines += [rule.sentence for rule in (*rules, *each.pending, *each.others)]
        return "\n".join(lines)


def explain(
    answer: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    at: datetime,
    facts: Facts | None = None,
) -> Explanation:
    """The trace of an answer in words.

    `answer` is as decisions.answer.as_document writes it. `settings` is the document it was made
    with, whose rules have actions where those are known. `facts` are shown beside conditions.
    """
    return _Explaining(answer, settings, at=at, facts=facts or {}).explanation


def difference_in_words(difference: Difference) -> str:
    """Transfer: another rule applies."""
    subject = TITLES[difference.rule_type] if difference.rule_type else "The line"
    return f"{subject}: {DIFFERENCES[difference.kind]}"


def known_in_words(facts: Facts) -> list[tuple[str, str]]:
    """Name and value of each fact that is known."""
    known = {name: value for name, value in facts.items() if value is not None}
    words = {name: _fact_in_words(known[name]) for name in NAMES if name in known}
    if "caller" in facts and facts["caller"] is None:
        words = {"caller": "withheld", **words}
    return [(NAMES[name], value) for name, value in words.items()]


def _fact_in_words(value: str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


class _Explaining:
    def __init__(
        self, answer: Mapping[str, Any], settings: Mapping[str, Any], *, at: datetime, facts: Facts
    ) -> None:
        self._answer = answer
        self._places: Mapping[str, str] = settings.get("transfer_places", {})
        self._rules = {rule["id"]: rule for rule in settings["conversation_rules"]}
        self._facts = facts
        self._at = at.astimezone(ZoneInfo(settings["timezone"]))
        self._hours = HoursInWords(answer["hours"], settings, at=at)

    @cached_property
    def explanation(self) -> Explanation:
        rules = [self._rule(traced) for traced in self._answer["trace"]]
        return Explanation(self._at, self._hours, tuple(self._types(rules)))

    def _types(self, rules: list[ExplainedRule]) -> Iterator[ExplainedType]:
        for rule_type in RULE_TYPES:
            own = [rule for rule in rules if rule.rule_type == rule_type]
            yield ExplainedType(
                rule_type,
                winner=next((rule for rule in own if rule.result == "won"), None),
                pending=tuple(rule for rule in own if rule.result == "pending"),
                others=tuple(rule for rule in own if rule.result not in ("won", "pending")),
            )

    def _rule(self, traced: Mapping[str, Any]) -> ExplainedRule:
        rule = self._rules[traced["id"]]
        pending = self._answer["decisions"][traced["rule_type"]]["pending"]
        waits_for = next((each["waits_for"] for each in pending if each["id"] == rule["id"]), ())
        return ExplainedRule(
            id=rule["id"],
            rule_type=traced["rule_type"],
            does=self._does(rule),
            priority=rule["priority"],
            result=traced["result"],
            clauses=tuple(self._clauses(rule["conditions"], traced["conditions"])),
            waits_for=tuple(waits_for),
        )

    def _does(self, rule: Mapping[str, Any]) -> str:
        """With the number of a place that the rule transfers to by name."""
        actions = dict(rule.get("actions", {}))
        if (number := self._places.get(actions.get("transfer_to", ""))) is not None:
            actions["transfer_to"] = f"{actions['transfer_to']} ({number})"
        return doing(actions) if actions else f"{rule['rule_type']} rule"

    def _clauses(
        self, conditions: Mapping[str, Any], values: Mapping[str, Any]
    ) -> Iterator[Clause]:
        """In the order of the sentence of a rule."""
        for name in CONDITIONS:
            if name == "any" and name in values:
                yield self._any(conditions[name], values[name])
            elif name == "not" and name in values:
                yield self._not(conditions[name], values[name])
            elif name in values:
                text = CONDITIONS[name](conditions[name])
                yield Clause(text, values[name], self._note(name, values[name]))

    def _any(self, parts: list[Any], value: Mapping[str, Any]) -> Clause:
        clauses = [
            self._part(part, valued) for part, valued in zip(parts, value["of"], strict=True)
        ]
        return Clause("at least one of these holds", value["value"], parts=tuple(clauses))

    def _part(self, conditions: Mapping[str, Any], valued: Mapping[str, Any]) -> Clause:
        clauses = tuple(self._clauses(conditions, valued["conditions"]))
        if len(clauses) == 1:
            return clauses[0]
        text = "all of these hold" if clauses else "it always holds"
        return Clause(text, valued["value"], parts=clauses)

    def _not(self, conditions: Mapping[str, Any], value: Mapping[str, Any]) -> Clause:
        part = self._part(conditions, value["of"])
        return Clause("this does not hold", value["value"], parts=(part,))

    def _note(self, name: str, truth: Truth) -> str:
        """What was known."""
        if truth == "unknown":
            return ""
        if name == "outside_business_hours":
            return self._hours.row
        if name in SHOWN_FACTS:
            return f"it is {self._facts[name]}" if self._facts.get(name) else ""
        return {
            "day_of_week": f"it is {DAYS[number_of(self._at)]}",
            "date": f"it is {self._at:%Y-%m-%d}",
            "time_of_day": f"it is {self._at:%H:%M}",
        }.get(name, "")
