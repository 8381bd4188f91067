"""The review queue: two people never get the same call, and each step is recorded."""

import datetime
import json
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from calls.models import ENDED, LOW_CONFIDENCE, Call, CallQuerySet, CallReview
from tenancy import all_tenants

# Older calls are not reviewed.
REVIEW_WINDOW = datetime.timedelta(days=30)
# After that somebody else may claim the call.
CLAIM_DURATION = datetime.timedelta(minutes=20)

# The unique index decides between two concurrent claims; the loser gets no row.
CLAIM = """
INSERT INTO call_reviews AS r (phone_id, call_id, call_began, claimed_by, claimed_until, history)
VALUES (%(phone_id)s, %(call_id)s, %(began)s, %(by)s, %(until)s, %(steps)s::jsonb)
ON CONFLICT (phone_id, call_id) DO UPDATE
SET claimed_by = %(by)s, claimed_until = %(until)s, history = r.history || %(steps)s::jsonb
WHERE r.reviewed_at IS NULL AND coalesce(r.claimed_until <= %(now)s, true)
RETURNING id
"""
MARK = """
INSERT INTO call_reviews AS r (phone_id, call_id, call_began, reviewed_by, reviewed_at, history)
SELECT phone_id, id, created_at, %(by)s, %(now)s, %(steps)s::jsonb
FROM calls WHERE id = ANY(%(calls)s) ORDER BY id
ON CONFLICT (phone_id, call_id) DO UPDATE
SET reviewed_by = %(by)s, reviewed_at = %(now)s, history = r.history || %(steps)s::jsonb
WHERE r.reviewed_at IS NULL
"""
# An event may move the beginning of a call after its review began. So the partition is looked for
# by the time that the review has, and for the few that are not in there every partition is.
FORGET = """
WITH missing AS MATERIALIZED (
    SELECT r.id, r.call_id FROM call_reviews r
    WHERE NOT EXISTS (SELECT FROM calls c WHERE c.id = r.call_id)
    AND NOT EXISTS (
        SELECT FROM calls_archive a WHERE a.id = r.call_id AND a.created_at = r.call_began
    )
)
DELETE FROM call_reviews WHERE id = ANY (ARRAY(
    SELECT m.id FROM missing m
    WHERE NOT EXISTS (SELECT FROM calls_archive a WHERE a.id = m.call_id)
))
"""


class ClaimLost(Exception):
    """Another person has claimed or reviewed this call."""


class CallGone(Exception):
    """The call was archived or deleted, so its summary can no longer be corrected."""


class CallHeld(Exception):
    """The call is under legal hold, so its summary stays as it is."""


def waiting(*, now: datetime.datetime) -> CallQuerySet:
    """Ended calls with low confidence, neither reviewed nor claimed; idx_calls_waiting.

    In the scope: of one line, or of all.
    """
    taken = CallReview.objects.filter(
        Q(reviewed_at__isnull=False) | Q(claimed_until__gt=now),
        phone_id=OuterRef("phone_id"),
        call_id=OuterRef("pk"),
    )
    calls: CallQuerySet = Call.objects.within(REVIEW_WINDOW, now=now)
    return calls.filter(~Exists(taken), ai_confidence__lt=LOW_CONFIDENCE, status__in=ENDED)


def held_by(by: str, *, now: datetime.datetime) -> CallReview | None:
    """The review that this person has claimed and not yet finished or released.

    Not of a call that was archived or deleted meanwhile.
    """
    held = CallReview.objects.filter(
        Exists(Call.objects.filter(pk=OuterRef("call_id"))),
        claimed_by=by,
        claimed_until__gt=now,
        reviewed_at__isnull=True,
    )
    review: CallReview | None = held.order_by("id").first()
    return review


def claim_next(*, by: str, now: datetime.datetime) -> CallReview | None:
    """The call that this person has claimed, else the latest one waiting, or None."""
    held = held_by(by, now=now)
    while held is None:
        with transaction.atomic():
            latest = waiting(now=now).order_by("-created_at", "-id").only("phone_id", "created_at")
            call = latest.select_for_update(skip_locked=True, no_key=True).first()
            if call is None:
                return None
            held = _claim(call, by=by, now=now)
    return held


def _claim(call: Call, *, by: str, now: datetime.datetime) -> CallReview | None:
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "phone_id": call.phone_id,
                "call_id": call.pk,
                "began": call.created_at,
                "by": by,
                "now": now,
                "until": now + CLAIM_DURATION,
                "steps": json.dumps([_step("claimed", by=by, now=now)]),
            },
        )
        row = cursor.fetchone()
    return CallReview.objects.get(pk=row[0]) if row else None


def release(review_id: int, *, by: str, now: datetime.datetime) -> None:
    """Release a claimed call. Raises ClaimLost."""
    with transaction.atomic():
        review = _held(review_id, by=by)
        review.claimed_by = review.claimed_until = None
        review.history = [*review.history, _step("released", by=by, now=now)]
        review.save()


def finish(review_id: int, *, by: str, summary: str | None, now: datetime.datetime) -> CallReview:
    """Mark a claimed call as reviewed, with its summary corrected where this one differs.

    An expired claim still counts until somebody else claims the call. Raises ClaimLost, CallGone
    and CallHeld.
    """
    with transaction.atomic():
        # Lock the call before its review, in the order that claims use.
        its_call = CallReview.objects.filter(pk=review_id).values("call_id")
        call = Call.objects.select_for_update(no_key=True).filter(pk__in=its_call).first()
        review = _held(review_id, by=by)
        if call is None:
            raise CallGone
        if call.ai_summary != summary:
            if call.legal_hold and call.ai_summary is not None:
                raise CallHeld
            corrected = _step("corrected", by=by, now=now) | {"former": call.ai_summary}
            review.history = [*review.history, corrected]
            call.ai_summary = summary
            call.save(update_fields=["ai_summary"])
        review.reviewed_by, review.reviewed_at = by, now
        review.history = [*review.history, _step("reviewed", by=by, now=now)]
        review.save()
    return review


def _held(review_id: int, *, by: str) -> CallReview:
    reviews = CallReview.objects.select_for_update(no_key=True)
    review: CallReview | None = reviews.filter(
        pk=review_id, claimed_by=by, reviewed_at__isnull=True
    ).first()
    if review is None:
        raise ClaimLost
    return review


def mark_reviewed(calls: Sequence[uuid.UUID], *, by: str, now: datetime.datetime) -> int:
    """Mark these calls as reviewed, claimed or not; returns how many were new."""
    steps = json.dumps([_step("reviewed", by=by, now=now)])
    with connection.cursor() as cursor:
        cursor.execute(MARK, {"calls": list(calls), "by": by, "now": now, "steps": steps})
        marked: int = cursor.rowcount
    return marked


def _step(did: str, *, by: str, now: datetime.datetime) -> dict[str, Any]:
    return {"at": now.isoformat(timespec="seconds"), "by": by, "did": did}


def prune_reviews() -> int:
    """Delete the reviews of calls that no longer exist; returns how many.

    A former summary is personal data and must not outlive its call.
    """
    with all_tenants("retention of reviews"), connection.cursor() as cursor:
        cursor.execute(FORGET)
        forgotten: int = cursor.rowcount
    return forgotten
