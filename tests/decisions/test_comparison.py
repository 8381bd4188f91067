"""What another version of the settings would have changed at a call."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.comparison import Comparison, PastCall
from decisions.decision import RULE_TYPES, decide, prepare
from decisions.settings_document import line_settings
from tests.decisions.drafts import MONDAY_NOON, call, differences, document, hours, rule, special
from tests.decisions.strategies import Json, calls, facts, rules

WEEK = [hours(1, "09:00:00", "17:00:00")]
MORNING = [hours(1, "09:00:00", "12:00:00")]
NIGHT = [rule(1, {"outside_business_hours": True})]
URGENT, ANGRY = {"urgency": "high"}, {"sentiment": "negative"}


def test_nothing_differs_where_nothing_changed() -> None:
    before = document(rule(1, URGENT), rule(2), business_hours=WEEK)
    assert differences(before, before) == []


def test_hours_open_and_close() -> None:
    whole, half = document(business_hours=WEEK), document(business_hours=MORNING)
    assert differences(whole, half) == [("became_closed", None)]
    assert differences(half, whole) == [("became_open", None)]
    closed_day = document(business_hours=WEEK, special_days=[special(1, "2026-03-09")])
    assert differences(whole, closed_day) == [("became_closed", None)]


def test_another_reason_for_the_same_state_is_no_difference() -> None:
    half = document(business_hours=MORNING)
    closed = document(business_hours=WEEK, special_days=[special(1, "2026-03-09")])
    assert differences(half, closed) == []


def test_first_hours_close_a_line_and_open_none() -> None:
    """Without hours no rule takes a line for closed."""
    assert differences(document(), document(business_hours=WEEK)) == []
    assert differences(document(), document(business_hours=MORNING)) == [("became_closed", None)]


def test_hours_decide_rules() -> None:
    night = rule(1, {"outside_business_hours": True})
    whole, half = (document(night, rule(2), business_hours=rows) for rows in (WEEK, MORNING))
    assert differences(whole, half) == [
        ("became_closed", None),
        ("another_rule_wins", "routing"),
    ]


def test_rule_of_type_hours_needs_a_closed_line() -> None:
    before, after = (
        document(*own, business_hours=WEEK) for own in ([], [rule(1, rule_type="hours")])
    )
    assert differences(before, after) == []
    closed = {"business_hours": MORNING}
    assert differences(before | closed, after | closed) == [("rule_wins_now", "hours")]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ([rule(1), rule(2)], [rule(2)], "another_rule_wins"),
        ([rule(1), rule(2)], [rule(1, priority=-9), rule(2)], "another_rule_wins"),
        ([], [rule(1)], "rule_wins_now"),
        ([rule(1, is_active=False)], [rule(1)], "rule_wins_now"),
        ([rule(1)], [rule(1, {"day_of_week": [2]})], "no_rule_wins"),
        ([rule(1)], [rule(1, actions={"department": "service"})], "other_actions"),
        ([rule(1)], [rule(1), rule(2)], None),
        ([rule(1, URGENT)], [rule(1, ANGRY)], "cannot_be_told"),
        # Whatever the urgency, other rules win.
        ([rule(1, URGENT), rule(2)], [rule(3)], "another_rule_wins"),
        ([rule(1, URGENT)], [rule(1, URGENT), rule(2)], "cannot_be_told"),
        # The same is unknown in both, and decides the same.
        ([rule(1, URGENT), rule(2)], [rule(1, URGENT), rule(2), rule(3)], None),
        ([rule(1, URGENT), rule(2)], [rule(1, URGENT | {"day_of_week": [1]}), rule(2)], None),
        ([rule(1, {"any": [URGENT, {"day_of_week": [2]}]})], [rule(1, {"any": [URGENT]})], None),
        ([rule(1, URGENT)], [rule(1, URGENT, actions={})], "cannot_be_told"),
    ],
)
def test_kinds_of_difference(before: list[Json], after: list[Json], kind: str | None) -> None:
    found = differences(document(*before), document(*after))
    assert found == ([] if kind is None else [(kind, "routing")])


def test_known_facts_decide() -> None:
    before, after = document(rule(1, URGENT)), document(rule(1, ANGRY))
    assert differences(before, after, urgency="low", sentiment="neutral") == []
    assert differences(before, after, urgency="low", sentiment="negative") == [
        ("rule_wins_now", "routing")
    ]


def test_the_moment_of_the_decision_counts() -> None:
    """Not when the call began."""
    began, moment = MONDAY_NOON - timedelta(hours=1), MONDAY_NOON
    comparison = Comparison(document(business_hours=WEEK), document(business_hours=MORNING))
    earlier = PastCall(call().id, began, began, {})
    assert comparison.differences(earlier) == []
    assert comparison.differences(earlier._replace(moment=moment)) != []


def test_facts_are_those_that_can_make_a_difference() -> None:
    same = rule(1, {"keywords": ["x"]}, rule_type="greeting")
    night = rule(2, {"not": {"caller_prefix": ["+49"]}, "outside_business_hours": True})
    before = document(same, night, business_hours=WEEK)
    assert Comparison(before, before).facts == set()
    assert Comparison(before, before | {"business_hours": MORNING}).facts == {"caller"}
    after = document(same, night, rule(3, {"any": [URGENT]}), business_hours=WEEK)
    assert Comparison(before, after).facts == {"caller", "urgency"}


@st.composite
def changes(draw: st.DrawFn) -> tuple[Json, Json, datetime, Json]:
    """Two versions that have rules in common, a moment, and what is known of a call."""
    before, at, known = draw(calls())
    more = draw(rules(at.date()))
    kept = [row for row in before["conversation_rules"] if draw(st.booleans())]
    moved = [row | {"priority": draw(st.integers(-1, 1))} for row in kept]
    own = {row["id"] for row in moved}
    after = before | {
        "conversation_rules": [*moved, *(row for row in more if row["id"] not in own)],
        "business_hours_intervals": before["business_hours_intervals"][draw(st.integers(0, 1)) :],
    }
    return before, after, at, known


def results(version: Any, at: datetime, known: Json) -> dict[str, Any]:
    answer = decide(version, at=at, facts=known)
    return {kind: answer.decisions[kind].winner for kind in RULE_TYPES}


@pytest.mark.rounds(20, soak=250)
def test_what_is_said_holds_whatever_the_unknown_facts_are(rounds: int) -> None:
    @settings(max_examples=rounds, deadline=None)
    @given(drawn=changes(), completions=st.lists(facts(), min_size=2, max_size=2))
    def compare(drawn: tuple[Json, Json, datetime, Json], completions: list[Json]) -> None:
        before, after, at, known = drawn
        past = PastCall(call().id, at, at, known)
        differing = Comparison(before, after).differences(past)
        found = {kind: change for change, kind in differing if kind}
        versions = [prepare(line_settings(each)) for each in (before, after)]
        for completion in completions:
            whole = ALL_KNOWN | told(completion) | told(known)
            then, now = (results(version, at, whole) for version in versions)
            for kind in RULE_TYPES:
                if kind not in found:
                    assert then[kind] == now[kind]
                elif found[kind] != "cannot_be_told":
                    assert then[kind] != now[kind]

    compare()


def told(known: Json) -> Json:
    """Without the facts that are unknown."""
    return {name: fact for name, fact in known.items() if fact is not None or name == "caller"}


ALL_KNOWN: Json = {
    "caller": "+4930123",
    "first_time_caller": True,
    "asks_for_person": True,
    "urgency": "low",
    "sentiment": "neutral",
    "intent": "book",
    "said": "a b",
    "language": "en-GB",
}
