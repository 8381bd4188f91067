"""The logic of conditions, and each condition by itself (section 4 of the contract)."""

from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from decisions.answer import as_document
from decisions.conditions import UnknownCondition
from decisions.decision import prepare
from decisions.truth import Truth
from decisions.vocabulary import TESTS
from tenants.rules import definitions
from tests.decisions.factories import MONDAY, answer, closed, line, row, rule

AT = "2026-06-01T10:00+02:00"  # a Monday
HELD: dict[Truth, dict[str, Any]] = {
    "true": {"urgency": "high"},
    "false": {"urgency": "low"},
    "unknown": {"sentiment": "neutral"},
}
ALL = list(product(HELD, HELD))


def truth(conditions: dict[str, Any], **facts: Any) -> Truth:
    [traced] = answer(line(rule(conditions)), AT, **facts).trace
    return traced.conditions.truth


def parts(*truths: Truth) -> dict[str, Any]:
    """Conditions of these values where the urgency is known to be high."""
    return {"any": [HELD[truth] for truth in truths]}


@pytest.mark.parametrize(("one", "other"), ALL)
def test_strong_logic(one: Truth, other: Truth) -> None:
    both = {"any": [HELD[one]], "not": {"not": HELD[other]}}
    order: list[Truth] = ["false", "unknown", "true"]
    assert truth(both, urgency="high") == min(one, other, key=order.index)
    assert truth(parts(one, other), urgency="high") == max(one, other, key=order.index)
    opposite: dict[Truth, Truth] = {"true": "false", "false": "true", "unknown": "unknown"}
    assert truth({"not": HELD[one]}, urgency="high") == opposite[one]


def test_engine_knows_every_condition_of_the_schema() -> None:
    assert {*TESTS, "any", "not"} == set(definitions()["conditions"]["properties"])


def test_condition_outside_the_schema_is_refused() -> None:
    with pytest.raises(UnknownCondition, match="'weather'") as caught:
        prepare(line(rule({"any": [{"not": {"weather": "rain"}}]})))
    assert caught.value.name == "weather"


@pytest.mark.parametrize(
    ("conditions", "facts", "expected"),
    [
        ({}, {}, "true"),
        ({"not": {}}, {}, "false"),
        ({"first_time_caller": False}, {"first_time_caller": False}, "true"),
        ({"first_time_caller": False}, {"first_time_caller": None}, "unknown"),
        ({"asks_for_person": True}, {"asks_for_person": False}, "false"),
        ({"asks_for_person": True}, {}, "unknown"),
        ({"urgency": "normal"}, {"urgency": "emergency"}, "false"),
        ({"sentiment": "negative"}, {"sentiment": "negative"}, "true"),
        ({"language": ["en"]}, {"language": "EN-gb"}, "true"),
        ({"language": ["en-GB"]}, {"language": "en"}, "false"),
        ({"language": ["en-GB"]}, {"language": "en-gb-oxendict"}, "true"),
        ({"language": ["fi"]}, {"language": "fil"}, "false"),
        ({"language": ["de", "en"]}, {"language": "en"}, "true"),
        ({"language": ["zh-TW"]}, {"language": "zh-Hant-TW"}, "false"),
        ({"language": ["is"]}, {"language": "\u0130s"}, "false"),
        ({"language": ["sk"]}, {"language": "s\u212a"}, "false"),
        ({"language": ["en"]}, {"language": ""}, "false"),
        ({"caller_prefix": ["+49", "+1"]}, {"caller": "+1415"}, "true"),
        ({"caller_prefix": ["+49"]}, {"caller": "+4"}, "false"),
        ({"caller_prefix": ["+49"]}, {"caller": None}, "false"),
        ({"caller_prefix": ["+49"]}, {}, "unknown"),
        ({"not": {"caller_prefix": ["+49"]}}, {"caller": None}, "true"),
        ({"day_of_week": [0, 1]}, {}, "true"),
        ({"day_of_week": [0, 2]}, {}, "false"),
        ({"date": {"from": "2026-06-01", "to": "2026-06-01"}}, {}, "true"),
        ({"date": {"from": "2026-06-02"}}, {}, "false"),
        ({"date": {"to": "2026-05-31"}}, {}, "false"),
        ({"time_of_day": {"from": "10:00", "to": "10:01"}}, {}, "true"),
        ({"time_of_day": {"from": "09:00", "to": "10:00"}}, {}, "false"),
        ({"time_of_day": {"from": "10:01", "to": "10:00"}}, {}, "false"),
    ],
)
def test_condition(conditions: dict[str, Any], facts: dict[str, Any], expected: str) -> None:
    assert truth(conditions, **facts) == expected


@pytest.mark.parametrize(
    ("rows", "outside", "inside"),
    [
        ([], "false", "true"),
        ([row(MONDAY, "09:00-17:00")], "false", "true"),
        ([closed(MONDAY)], "true", "false"),
    ],
)
def test_outside_business_hours(rows: list[Any], outside: str, inside: str) -> None:
    asked = [rule({"outside_business_hours": value}, priority=-value) for value in (False, True)]
    found = answer(line(*rows, *asked), AT)
    assert [traced.conditions.truth for traced in found.trace] == [inside, outside]


def test_all_conditions_have_their_values_in_the_trace() -> None:
    """Beside a false one, after a winner, and in an inactive rule."""
    conditions = {"urgency": "low", "sentiment": "neutral", "any": [{"day_of_week": [1]}, {}]}
    rules = [
        rule({}, priority=3),
        rule(conditions, priority=2),
        rule(conditions, priority=1, is_active=False),
    ]
    trace = as_document(answer(line(*rules), AT, urgency="high"))["trace"]
    assert [traced["result"] for traced in trace] == ["won", "not_reached", "inactive"]
    for traced in trace[1:]:
        assert traced["value"] == "false"
        assert traced["conditions"] == {
            "urgency": "false",
            "sentiment": "unknown",
            "any": {
                "value": "true",
                "of": [
                    {"value": "true", "conditions": {"day_of_week": "true"}},
                    {"value": "true", "conditions": {}},
                ],
            },
        }


def test_rules_are_tried_by_priority_then_age_then_id() -> None:
    """Ages are instants; ids are numbers, whatever the order of the rows."""
    created = {"-05:00": "2026-01-05T02:59:59.999999-05:00", "Z": "2026-01-05T08:00:00Z"}
    rules = [
        rule(
            {},
            id=UUID(int=number),
            priority=priority,
            created_at=datetime.fromisoformat(created[zone]),
        )
        for number, priority, zone in [(9, 0, "Z"), (3, 0, "Z"), (8, 0, "-05:00"), (7, 1, "Z")]
    ]
    for order in (rules, rules[::-1]):
        found = answer(line(*order), AT)
        assert [traced.id.int for traced in found.trace] == [7, 8, 3, 9]
