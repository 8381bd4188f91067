"""Each difference says in words what was, what would be, and why."""

from typing import Any
from uuid import UUID

from decisions.backtest import ChangedCall
from decisions.comparison import Comparison
from decisions.differences_in_words import ExplainedDifference, explained
from tests.decisions.drafts import call, document, hours, rule
from tests.decisions.strategies import Json

WEEK = [hours(1, "09:00:00", "17:00:00")]
MORNING = [hours(1, "09:00:00", "11:00:00")]
SERVICE = {"department": "service"}


def words(before: Json, after: Json, **facts: Any) -> list[ExplainedDifference]:
    comparison = Comparison(before, after)
    past = call(**facts)
    return explained(comparison, ChangedCall(past, tuple(comparison.differences(past))))


def test_hours() -> None:
    [difference] = words(document(business_hours=WEEK), document(business_hours=MORNING))
    assert (difference.kind, difference.rule_type) == ("became_closed", None)
    assert (difference.before.is_open, difference.after.is_open) == (True, False)
    assert difference.before.sentence == "Open, until 17:00."
    assert difference.after.sentence.startswith("Closed, opens ")
    assert difference.why == (
        "Before: Monday, 09:00 to 17:00. After: outside of Monday, 09:00 to 11:00."
    )


def test_new_rule_before_another() -> None:
    [difference] = words(
        document(rule(2)), document(rule(1, {"day_of_week": [1]}, actions=SERVICE), rule(2))
    )
    assert difference.before.sentence == "Route to sales because: it always applies."
    assert "is Monday (yes, it is Monday)" in difference.after.sentence
    assert (difference.before.winner, difference.after.winner) == (UUID(int=2), UUID(int=1))
    assert difference.why == (
        "Now route to sales: not reached: an earlier routing rule applies."
        " Route to service is new."
    )


def test_condition_that_failed() -> None:
    tuesday = rule(1, {"day_of_week": [2]})
    [difference] = words(document(rule(1)), document(tuesday))
    assert (difference.kind, difference.after.sentence) == ("no_rule_wins", "No rule applies.")
    assert "does not apply" in difference.why
    assert "(no, it is Monday)" in difference.why
    [difference] = words(document(tuesday), document(rule(1)))
    assert difference.why.startswith("Before, route to sales: does not apply")


def test_rule_that_was_deleted_or_does_something_else() -> None:
    [difference] = words(document(rule(1)), document())
    assert difference.why == "Route to sales was deleted."
    [difference] = words(document(rule(1)), document(rule(1, actions=SERVICE)))
    assert difference.why == "The same rule applies, and does something else."


def test_what_is_not_known() -> None:
    urgent = rule(1, {"urgency": "high"}, actions=SERVICE)
    [difference] = words(document(rule(2)), document(urgent, rule(2)))
    assert difference.kind == "cannot_be_told"
    [pending] = difference.after.pending
    assert (pending.id, pending.waits_for) == (UUID(int=1), ("urgency",))
    assert difference.why == (
        "Route to service: waits for the urgency: the urgency is high (not known)."
    )
