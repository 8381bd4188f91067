"""The words of an answer, on the answers of the vectors and where they need care."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from decisions.answer import as_document
from decisions.decision import decide
from decisions.explanation import YES_OR_NO, Clause, Explanation, explain
from decisions.settings_document import line_settings
from decisions.vocabulary import TESTS
from tenants.rules.sentences import CONDITIONS
from tests.decisions.vectors import VECTORS

EXAMPLE = VECTORS[0]


def explained(vector: dict[str, Any]) -> Explanation:
    return explain(
        vector["expected"],
        vector["settings"],
        at=datetime.fromisoformat(vector["at"]),
        facts=vector["facts"],
    )


def all_of(clauses: tuple[Clause, ...]) -> Iterator[Clause]:
    for clause in clauses:
        yield clause
        yield from all_of(clause.parts)


def leaves(conditions: dict[str, Any]) -> int:
    """How many conditions there are, `any` and `not` left out; an empty part counts as one."""
    parts = [*conditions.get("any", []), *([conditions["not"]] if "not" in conditions else [])]
    own = len(conditions.keys() - {"any", "not"})
    return own + sum(leaves(part) or 1 for part in parts)


def test_each_rule_and_condition_of_the_vectors_has_its_words() -> None:
    for vector in VECTORS:
        explanation = explained(vector)
        rules = {
            rule.id: rule
            for each in explanation.types
            for rule in ([each.winner] if each.winner else []) + [*each.pending, *each.others]
        }
        assert len(rules) == len(vector["expected"]["trace"])
        for stored in vector["settings"]["conversation_rules"]:
            clauses = list(all_of(rules[stored["id"]].clauses))
            own = [clause for clause in clauses if not clause.parts]
            assert len(own) == leaves(stored["conditions"]), vector["about"]
            assert all(clause.value.startswith(tuple(YES_OR_NO.values())) for clause in clauses)
            assert all("{" not in clause.text for clause in clauses), vector["about"]
        assert explanation.hours.state
        assert explanation.hours.reason


def test_every_condition_of_the_vocabulary_has_a_phrase() -> None:
    assert {*TESTS, "any", "not"} == set(CONDITIONS)


def test_the_example_reads_as_an_owner_would_say_it() -> None:
    assert str(explained(EXAMPLE)).splitlines() == [
        "Closed, opens Monday 09:00: outside of Christmas Eve (2026-12-24), 09:00 to 12:00.",
        "Greeting rule: switched off.",
        "Routing rule because: at least one of these holds (yes) [the caller speaks German (yes,"
        " it is de-DE); the caller wants to book (not known)].",
        "Routing rule: waits for the urgency: the urgency is emergency (not known).",
        "Routing rule: not reached: an earlier routing rule applies.",
        "Transfer rule: does not apply: this does not hold (no) [the time is from 12:00 to 13:00"
        " (yes, it is 12:30)].",
        "Hours rule because: the business is closed (yes, Christmas Eve (2026-12-24), 09:00 to"
        " 12:00).",
    ]


def transfer(conditions: dict[str, Any], target: str) -> dict[str, Any]:
    rule = {
        "id": "00000000-0000-4000-8000-000000000021",
        "rule_type": "transfer",
        "conditions": conditions,
        "actions": {"transfer_to": target},
        "priority": 1,
        "is_active": True,
        "created_at": "2026-01-05T08:00:00Z",
    }
    return {**EXAMPLE["settings"], "conversation_rules": [rule]}


def decided(settings: dict[str, Any], at: str, **facts: Any) -> Explanation:
    moment = datetime.fromisoformat(at)
    answer = decide(line_settings(settings), at=moment, facts=facts)
    return explain(as_document(answer), settings, at=moment, facts=facts)


def test_a_transfer_names_the_place_its_number_and_what_held() -> None:
    settings = transfer({"asks_for_person": True, "outside_business_hours": False}, "Front desk")
    settings["transfer_places"] = {"Front desk": "+493012345678"}
    explanation = decided(settings, "2026-12-21T10:00:00+01:00", asks_for_person=True)
    winner = explanation.types[2].winner
    assert winner is not None
    assert winner.sentence == (
        "Transfer to Front desk (+493012345678) because: the caller asks for a person (yes),"
        " the business is open (yes, Monday, 09:00 to 12:00)."
    )
    assert explanation.types[2].outcome == "Transfer to Front desk (+493012345678)"


def test_only_what_failed_is_given_as_the_reason() -> None:
    settings = transfer({"urgency": "high", "asks_for_person": True}, "+14155550123")
    explanation = decided(
        settings, "2026-12-21T10:00:00+01:00", urgency="low", asks_for_person=True
    )
    [rule] = explanation.types[2].others
    assert [str(clause) for clause in rule.decisive] == ["the urgency is high (no, it is low)"]
    assert explanation.types[2].outcome == "No rule applies"


@pytest.mark.parametrize(
    ("at", "state", "reason"),
    [
        ("2026-12-21T10:00+01:00", "Open, until 12:00", "Monday, 09:00 to 12:00"),
        (
            "2026-12-21T12:00+01:00",
            "Closed, opens 13:00",
            "outside of Monday, 09:00 to 12:00 and 13:00 to 17:00",
        ),
        ("2026-12-22T12:00+01:00", "Closed, opens Thursday 09:00", "Tuesday has no hours"),
        (
            "2026-12-24T09:00+01:00",
            "Open, until 12:00",
            "Christmas Eve (2026-12-24), 09:00 to 12:00",
        ),
    ],
)
def test_hours_in_words(at: str, state: str, reason: str) -> None:
    hours = decided(EXAMPLE["settings"], at).hours
    assert (hours.state, hours.reason) == (state, reason)
