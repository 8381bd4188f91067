"""What in the settings of a line contradicts itself, or cannot do what it was written for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from calls.transfers import FailingTarget
from decisions.conditions import names_in
from decisions.hours_warnings import hours_warnings
from decisions.implication import imply
from decisions.settings_document import line_settings
from tenants.numbers import one_form
from tenants.rules.sentences import sentence

Json = Mapping[str, Any]
CLOSED = {"outside_business_hours": True}
OPEN = {"outside_business_hours": False}


@dataclass(frozen=True)
class Conflict:
    """`code` is stable, `sentence` is for the owner; `rules` are the ids of those it is about."""

    code: str
    sentence: str
    rules: tuple[UUID, ...] = ()


CODES = (
    "never_wins",
    "equal_priority",
    "hours_not_set",
    "only_while_open",
    "date_is_over",
    "transfer_to_itself",
    "transfer_target_fails",
    "special_days_only",
    "other_timezone",
    "ignored_intervals",
)


def conflicts(
    settings: Json, *, number: str, now: datetime, failing: Iterable[FailingTarget] = ()
) -> list[Conflict]:
    """Those of a document of settings (decisions.settings_document), stored or a draft.

    `number` is the line's own; `failing` are the targets that calls.transfers.failing_targets
    finds. Rules that are not active are left out.
    """
    ordered = sorted(settings["conversation_rules"], key=_by_turn)
    rules = [rule for rule in ordered if rule["is_active"]]
    of_type = [
        [rule for rule in rules if rule["rule_type"] == kind]
        for kind in dict.fromkeys(rule["rule_type"] for rule in rules)
    ]
    today = now.astimezone(ZoneInfo(settings["timezone"])).date().isoformat()
    warnings = hours_warnings(line_settings(settings))
    return [
        *(found for own in of_type for found in _never_winning(own)),
        *(found for own in of_type for found in _of_equal_priority(own)),
        *_about_hours(rules, is_set=_has_hours(settings)),
        *(found for rule in rules for found in _over(rule, today)),
        *_about_targets(rules, settings.get("transfer_places", {}), one_form(number), failing),
        *(Conflict(warning.code, warning.detail) for warning in warnings),
    ]


def _by_turn(rule: Json) -> tuple[int, datetime, int]:
    created_at = datetime.fromisoformat(rule["created_at"])
    return -rule["priority"], created_at, UUID(rule["id"]).int


def _has_hours(settings: Json) -> bool:
    tables = ("business_hours", "business_hours_intervals", "special_days")
    return any(settings[table] for table in tables)


def _conflict(code: str, text: str, *rules: Json) -> Conflict:
    return Conflict(code, text, tuple(UUID(rule["id"]) for rule in rules))


def _named(rule: Json) -> str:
    words = sentence(conditions=rule["conditions"], actions=rule.get("actions", {}))
    return f"The {rule['rule_type']} rule “{words.removesuffix('.')}”"


def _never_winning(rules: list[Json]) -> Iterator[Conflict]:
    """Of one type, in their order: those before which another one always wins."""
    for number, rule in enumerate(rules):
        given = [rule["conditions"]]
        if rule["rule_type"] == "hours":
            given.append(CLOSED)  # or it does not count
        for earlier in rules[:number]:
            if imply(given, earlier["conditions"]):
                words = sentence(
                    conditions=earlier["conditions"], actions=earlier.get("actions", {})
                )
                yield _conflict(
                    "never_wins",
                    f"{_named(rule)} never wins: “{words.removesuffix('.')}” comes first, and"
                    " applies whenever this one would. Give it a higher priority, or delete it.",
                    rule,
                    earlier,
                )
                break


def _of_equal_priority(rules: list[Json]) -> Iterator[Conflict]:
    for priority, group in groupby(rules, key=lambda rule: rule["priority"]):
        own = [*group]
        if len(own) > 1:
            yield _conflict(
                "equal_priority",
                f"{len(own)} {own[0]['rule_type']} rules have the priority {priority}. Of those"
                " that apply, the one that was made first wins. Give each its own.",
                *own,
            )


def _about_hours(rules: list[Json], *, is_set: bool) -> Iterator[Conflict]:
    for rule in rules:
        conditions = rule["conditions"]
        if rule["rule_type"] == "hours" and imply([conditions], OPEN):
            yield _conflict(
                "only_while_open",
                f"{_named(rule)} never applies: rules for closed hours apply only while the line"
                " is closed, and this one only while it is open.",
                rule,
            )
        elif not is_set and rule["rule_type"] == "hours":
            yield _conflict(
                "hours_not_set",
                f"{_named(rule)} never applies: the line has no opening hours, so it never counts"
                " as closed. Enter opening hours first.",
                rule,
            )
        elif not is_set and "outside_business_hours" in names_in(conditions):
            yield _conflict(
                "hours_not_set",
                f"{_named(rule)} asks whether the business is closed, and the line has no opening"
                " hours, so it never counts as closed. Enter opening hours first.",
                rule,
            )


def _over(rule: Json, today: str) -> Iterator[Conflict]:
    if _is_over(rule["conditions"], today):
        yield _conflict(
            "date_is_over",
            f"{_named(rule)} never applies again: its dates are over. Change them, or delete it.",
            rule,
        )


def _is_over(conditions: Json, today: str) -> bool:
    if conditions.get("date", {}).get("to", today) < today:
        return True
    parts = conditions.get("any", [])
    return bool(parts) and all(_is_over(part, today) for part in parts)


def _about_targets(
    rules: list[Json], places: Mapping[str, str], own: str, failing: Iterable[FailingTarget]
) -> Iterator[Conflict]:
    by_number = {target.to: target for target in failing}
    for rule in rules:
        name = (
            rule.get("actions", {}).get("transfer_to") if rule["rule_type"] == "transfer" else ""
        )
        number = one_form(places.get(name, name) or "")
        if number == own:
            yield _conflict(
                "transfer_to_itself",
                f"{_named(rule)} transfers to the line's own number, where the AI would answer"
                " again. Write the number of a person.",
                rule,
            )
        elif target := by_number.get(number):
            yield _conflict(
                "transfer_target_fails",
                f"{_named(rule)} transfers to {_shown(name, number)}, where nobody answered the"
                f" last {target.dials} calls, since {target.since:%Y-%m-%d}.",
                rule,
            )


def _shown(name: str, number: str) -> str:
    return number if name == number else f"{name} ({number})"
