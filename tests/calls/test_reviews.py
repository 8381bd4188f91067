"""The review queue: one person for each call, and what they did is kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from calls.models import Call, CallReview
from calls.reviews import queue
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.factories import archive, make_call

pytestmark = pytest.mark.usefixtures("staff_scope")
NOW = timezone.now()


def make_low(line: PhoneNumber, **columns: Any) -> Call:
    low: dict[str, Any] = {"ai_confidence": "0.3", "created_at": NOW - timedelta(hours=1)}
    return make_call(line, **low | columns)


def claim(by: str = "ann", *, minutes: int = 0) -> CallReview | None:
    return queue.claim_next(by=by, now=NOW + timedelta(minutes=minutes))


def did(review: CallReview) -> list[tuple[str, str]]:
    review.refresh_from_db()
    return [(step["by"], step["did"]) for step in review.history]


def test_the_latest_ended_call_of_low_confidence_is_next(line: PhoneNumber) -> None:
    make_low(line, created_at=NOW - timedelta(hours=2))
    latest = make_low(line)
    make_low(line, ai_confidence="0.5", created_at=NOW)
    make_low(line, status="ringing", created_at=NOW)
    review = claim()
    assert review
    assert review.call_id == latest.pk


def test_a_call_older_than_the_queue_waits_no_more(line: PhoneNumber) -> None:
    make_low(line, created_at=NOW - queue.REVIEW_WINDOW - timedelta(minutes=1))
    assert claim() is None


def test_one_keeps_what_one_has(line: PhoneNumber) -> None:
    make_low(line)
    first = claim()
    make_low(line, created_at=NOW)
    assert claim() == first


def test_a_claimed_call_is_anonymous_elses_until_the_claim_runs_out(line: PhoneNumber) -> None:
    make_low(line)
    review = claim("ann")
    assert claim("bob") is None
    lasts = int(queue.CLAIM_DURATION.total_seconds() // 60)
    assert claim("bob", minutes=lasts - 1) is None
    assert claim("bob", minutes=lasts) == review
    assert review
    with pytest.raises(queue.ClaimLost):
        queue.finish(review.pk, by="ann", summary="hers", now=NOW)
    assert did(review) == [("ann", "claimed"), ("bob", "claimed")]


def test_a_claim_that_ran_out_counts_while_nobody_wants_the_call(line: PhoneNumber) -> None:
    make_low(line)
    review = claim()
    assert review
    queue.finish(review.pk, by="ann", summary=None, now=NOW + timedelta(days=1))
    assert did(review)[-1] == ("ann", "reviewed")


def test_a_released_call_is_the_next_persons(line: PhoneNumber) -> None:
    make_low(line)
    review = claim("ann")
    assert review
    with pytest.raises(queue.ClaimLost):
        queue.release(review.pk, by="bob", now=NOW)
    queue.release(review.pk, by="ann", now=NOW)
    assert claim("bob") == review


def test_a_correction_keeps_the_former_summary(line: PhoneNumber) -> None:
    call = make_low(line, ai_summary="Wants a refund.")
    review = claim()
    assert review
    queue.finish(review.pk, by="ann", summary="Wants to book.", now=NOW)
    call.refresh_from_db()
    assert call.ai_summary == "Wants to book."
    assert did(review) == [("ann", "claimed"), ("ann", "corrected"), ("ann", "reviewed")]
    assert review.history[1]["former"] == "Wants a refund."
    assert (review.reviewed_by, claim("bob")) == ("ann", None)
    with pytest.raises(queue.ClaimLost):
        queue.finish(review.pk, by="ann", summary="Again.", now=NOW)


def test_a_summary_that_is_right_is_left_alone(line: PhoneNumber) -> None:
    call = make_low(line, ai_summary="Right.")
    before = call.updated_at
    review = claim()
    assert review
    queue.finish(review.pk, by="ann", summary="Right.", now=NOW)
    call.refresh_from_db()
    assert (call.updated_at, did(review)[-1]) == (before, ("ann", "reviewed"))


def test_calls_are_marked_once(line: PhoneNumber) -> None:
    calls = [make_low(line), make_call(line)]
    claim("bob")
    keys = [call.pk for call in calls]
    assert queue.mark_reviewed(keys, by="ann", now=NOW) == 2
    assert queue.mark_reviewed(keys, by="bob", now=NOW) == 0
    assert set(CallReview.objects.values_list("reviewed_by", flat=True)) == {"ann"}
    assert claim("bob") is None


def test_a_line_reviews_its_own_calls(line: PhoneNumber, other_line: PhoneNumber) -> None:
    ours, theirs = make_low(line), make_low(other_line)
    with tenant(line.pk):
        assert list(queue.waiting(now=NOW)) == [ours]
        assert queue.mark_reviewed([ours.pk, theirs.pk], by="ann", now=NOW) == 1
        assert claim() is None
    assert list(queue.waiting(now=NOW)) == [theirs]


def test_a_review_outlives_the_move_to_the_archive(line: PhoneNumber) -> None:
    call = make_low(line)
    review = claim()
    assert review
    archive(call)
    with pytest.raises(queue.CallGone):
        queue.finish(review.pk, by="ann", summary="new", now=NOW)
    assert queue.prune_reviews() == 0
    assert CallReview.objects.get() == review


def test_a_review_goes_where_its_call_went(line: PhoneNumber) -> None:
    call, other = make_low(line), make_low(line)
    queue.mark_reviewed([call.pk, other.pk], by="ann", now=NOW)
    call.delete()
    assert queue.prune_reviews() == 1
    assert CallReview.objects.get().call_id == other.pk


def test_a_review_outlives_a_later_beginning_of_its_archived_call(line: PhoneNumber) -> None:
    """An event may move created_at after the review began."""
    call = make_low(line)
    queue.mark_reviewed([call.pk], by="ann", now=NOW)
    call.created_at -= timedelta(minutes=3)
    call.save()
    archive(call)
    assert queue.prune_reviews() == 0
    assert CallReview.objects.get().call_id == call.pk


@pytest.mark.parametrize("end", [archive, lambda call: call.delete()])
def test_who_holds_a_call_that_went_gets_the_next(line: PhoneNumber, end: Any) -> None:
    gone, other = make_low(line), make_low(line)
    first = claim()
    assert first
    lost = gone if first.call_id == gone.pk else other
    end(lost)
    following = claim()
    assert following
    assert following.call_id == ({gone.pk, other.pk} - {lost.pk}).pop()
