"""Settings that contradict themselves, and none that do not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.transfers import FailingTarget
from decisions.conflicts import CODES, Conflict, conflicts
from decisions.decision import decide, prepare
from decisions.implication import imply
from decisions.settings_document import line_settings
from tests.decisions.drafts import document, hours, rule, special
from tests.decisions.strategies import Json, calls, conditions, facts

NOW = datetime(2026, 3, 9, 11, tzinfo=UTC)
WEEK = [hours(1, "09:00:00", "17:00:00")]
OWN, DESK = "+5215512345678", "+14155550123"
FAILING = FailingTarget(DESK, 7, NOW - timedelta(days=3), NOW)


def found(*rules: Json, **tables: Any) -> list[Conflict]:
    settings = document(*rules, **{"business_hours": WEEK} | tables)
    return conflicts(settings, number=OWN, now=NOW, failing=[FAILING])


def codes(*rules: Json, **tables: Any) -> list[tuple[Any, ...]]:
    """Each code with the numbers of its rules."""
    return [
        (conflict.code, *(rule.int for rule in conflict.rules))
        for conflict in found(*rules, **tables)
    ]


def transfer(number: int, to: str, **columns: Any) -> Json:
    return rule(number, rule_type="transfer", actions={"transfer_to": to}, **columns)


def test_sound_settings_have_none() -> None:
    night = rule(1, {"outside_business_hours": True}, rule_type="hours")
    assert codes(night, rule(2, {"urgency": "high"}), rule(3), transfer(4, "+14155550199")) == []


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({}, {}),
        ({}, {"urgency": "high"}),
        ({"urgency": "high"}, {"urgency": "high", "sentiment": "negative"}),
        ({"intent": ["Book", "cancel"]}, {"intent": ["book"]}),
        ({"keywords": ["a", "b"]}, {"keywords": ["A"]}),
        ({"language": ["en"]}, {"language": ["en-GB", "en-US"]}),
        ({"caller_prefix": ["+49"]}, {"caller_prefix": ["+4930", "+4940"]}),
        ({"day_of_week": [1, 2, 3]}, {"day_of_week": [2]}),
        ({"date": {"to": "2027-01-01"}}, {"date": {"from": "2026-05-01", "to": "2026-05-09"}}),
        (
            {"time_of_day": {"from": "20:00", "to": "08:00"}},
            {"time_of_day": {"from": "22:00", "to": "06:00"}},
        ),
        ({"any": [{"urgency": "high"}, {"sentiment": "negative"}]}, {"urgency": "high"}),
        (
            {"any": [{"urgency": "high"}, {"intent": ["book", "cancel"]}]},
            {"any": [{"urgency": "high", "sentiment": "negative"}, {"intent": ["book"]}]},
        ),
        ({"not": {"caller_prefix": ["+4930"]}}, {"not": {"caller_prefix": ["+49"]}}),
    ],
)
def test_rule_that_never_wins(earlier: Json, later: Json) -> None:
    assert codes(rule(1, earlier), rule(2, later)) == [("never_wins", 2, 1)]
    if earlier != later:
        assert codes(rule(2, later, priority=1), rule(1, earlier)) == []
    assert codes(rule(1, earlier, is_active=False), rule(2, later)) == []
    assert codes(rule(1, earlier, rule_type="greeting"), rule(2, later)) == []


def test_rule_for_closed_hours_is_only_asked_while_closed() -> None:
    night = rule(1, {"outside_business_hours": True}, rule_type="hours")
    assert codes(night, rule(2, rule_type="hours")) == [("never_wins", 2, 1)]
    assert codes(night, rule(2)) == []
    noon = rule(3, {"outside_business_hours": False}, rule_type="hours")
    assert codes(noon) == [("only_while_open", 3)]


def test_equal_priorities_of_one_type() -> None:
    urgent, angry = {"urgency": "high"}, {"sentiment": "negative"}
    rules = [rule(1, urgent, priority=5), rule(2, angry, priority=5)]
    assert codes(*rules) == [("equal_priority", 1, 2)]
    assert codes(rules[0], rules[1] | {"rule_type": "greeting"}) == []
    assert codes(rules[0], rules[1] | {"is_active": False}) == []


def test_hours_are_asked_for_and_not_set() -> None:
    nested = rule(1, {"any": [{"outside_business_hours": False}]})
    closed = rule(2, {"day_of_week": [1]}, rule_type="hours")
    assert codes(nested, closed, business_hours=[]) == [
        ("hours_not_set", 1),
        ("hours_not_set", 2),
    ]
    assert codes(nested, closed) == []


def test_dates_that_are_over_on_the_lines_calendar() -> None:
    past, today = {"date": {"to": "2026-03-08"}}, {"date": {"to": "2026-03-09"}}
    assert codes(rule(1, past)) == [("date_is_over", 1)]
    assert codes(rule(1, today)) == []
    assert codes(rule(1, {"any": [past, past]})) == [("date_is_over", 1)]
    assert codes(rule(1, {"any": [past, today]})) == []


def test_transfer_to_the_line_itself_in_either_form() -> None:
    assert codes(transfer(1, OWN)) == [("transfer_to_itself", 1)]
    assert codes(transfer(1, "+525512345678")) == [("transfer_to_itself", 1)]
    assert codes(transfer(1, "Desk"), transfer_places={"Desk": OWN}) == [("transfer_to_itself", 1)]


def test_transfer_to_a_target_that_failed() -> None:
    [conflict] = found(transfer(1, "Desk"), transfer_places={"Desk": DESK})
    assert conflict.code == "transfer_target_fails"
    assert f"Desk ({DESK})" in conflict.sentence
    assert "last 7 calls, since 2026-03-06" in conflict.sentence
    assert codes(transfer(1, "Desk"), transfer_places={"Desk": "+14155550124"}) == []


def test_warnings_of_hours_are_among_them() -> None:
    assert codes(business_hours=[], special_days=[special(1, "2026-12-24")]) == [
        ("special_days_only",)
    ]


def test_a_conflict_names_its_rules_in_words() -> None:
    [conflict] = found(rule(1), rule(2, {"urgency": "high"}))
    assert conflict.sentence == (
        "The routing rule “When the urgency is high: route to sales” never wins: “Always: route to"
        " sales” comes first, and applies whenever this one would. Give it a higher priority, or"
        " delete it."
    )
    assert conflict.code in CODES


@pytest.mark.rounds(15, soak=300)
def test_what_never_wins_never_wins(rounds: int) -> None:
    """By the engine, whatever the moment and the facts are."""

    @settings(max_examples=rounds, deadline=None)
    @given(drawn=calls(), known=st.lists(facts(), min_size=3, max_size=3))
    def compare(drawn: tuple[Json, datetime, Json], known: list[Json]) -> None:
        line, at, first = drawn
        never = {
            conflict.rules[0]
            for conflict in conflicts(line, number=OWN, now=at)
            if conflict.code in ("never_wins", "only_while_open")
        }
        version = prepare(line_settings(line))
        for each in [first, *known]:
            decisions = decide(version, at=at, facts=each).decisions.values()
            assert not {decision.winner for decision in decisions} & never

    compare()


@pytest.mark.rounds(60, soak=1000)
def test_what_is_implied_holds(rounds: int) -> None:
    """Also of conditions of which one was made of the other, so that many are implied."""
    day = NOW.date()

    @settings(max_examples=rounds, deadline=None)
    @given(narrow=conditions(day), wide=conditions(day), known=facts(), mixed=st.booleans())
    def compare(narrow: Json, wide: Json, known: Json, mixed: bool) -> None:
        if mixed:
            narrow = {"any": [wide, {**narrow, **wide}]}
        if not imply([narrow], wide):
            assert not mixed
            return
        rules = [rule(1, wide), rule(2, narrow, rule_type="greeting")]
        version = prepare(line_settings(document(*rules, business_hours=WEEK)))
        trace = {each.id.int: each for each in decide(version, at=NOW, facts=known).trace}
        assert trace[2].conditions.truth != "true" or trace[1].conditions.truth == "true"
        assert trace[1].conditions.truth != "false" or trace[2].conditions.truth == "false"

    compare()
