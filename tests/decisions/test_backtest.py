"""How many calls would change, and which."""

from datetime import timedelta
from uuid import UUID

from decisions.comparison import Difference
from tests.decisions.drafts import MONDAY_NOON, call, document, hours, report, rule

WEEK = [hours(1, "09:00:00", "17:00:00")]
MORNING = [hours(1, "09:00:00", "12:00:00")]
NIGHT = rule(1, {"outside_business_hours": True})
URGENT = rule(2, {"urgency": "high"}, rule_type="transfer")


def test_calls_are_counted_by_what_differs() -> None:
    before = document(NIGHT, business_hours=WEEK)
    after = document(NIGHT, URGENT, business_hours=MORNING)
    morning = MONDAY_NOON - timedelta(hours=2)
    calls = [
        call(number=1, urgency="low"),
        call(number=2),
        call(morning, number=3, urgency="low"),
        call(morning, number=4),
        call(morning, number=5, urgency="high"),
    ]
    found = report(before, after, *calls)
    assert str(found.counts) == "3 of 5 would change, 1 cannot be told"
    assert found.counts.by_kind == {
        Difference("became_closed"): 2,
        Difference("rule_wins_now", "routing"): 2,
        Difference("cannot_be_told", "transfer"): 2,
        Difference("rule_wins_now", "transfer"): 1,
    }
    assert [changed.call.id for changed in found.changed] == [
        UUID(int=number) for number in (1, 2, 4, 5)
    ]


def test_only_the_first_changed_calls_are_kept() -> None:
    calls = [call(number=number) for number in range(1, 8)]
    found = report(document(), document(rule(1)), *calls, limit=3)
    assert [changed.call.id.int for changed in found.changed] == [1, 2, 3]
    assert (found.has_more, found.counts.would_change) == (True, 7)
    assert not report(document(), document(rule(1)), *calls, limit=7).has_more
