"""Two people who ask for a call at the same moment never get the same one."""

import threading
import uuid
from datetime import timedelta

from django.db import connection, connections, transaction
from django.utils import timezone

from calls.models import Call, CallReview
from calls.reviews import queue
from tenancy import all_tenants
from tests.factories import make_call, make_line
from tests.outages import WAITS_FOR_US

NOW = timezone.now()


def test_claims_at_the_same_time_never_meet(committed: None) -> None:
    """Eight people, forty calls: each call has one holder, and each is reviewed once."""
    line = make_line()
    calls = {
        make_call(line, ai_confidence="0.3", created_at=NOW - timedelta(minutes=n)).pk
        for n in range(40)
    }
    start = threading.Barrier(8)
    taken: list[tuple[str, uuid.UUID]] = []
    troubles: list[Exception] = []

    def work(by: str) -> None:
        try:
            start.wait()
            with all_tenants("test"):
                while review := queue.claim_next(by=by, now=NOW):
                    taken.append((by, review.call_id))
                    queue.finish(review.pk, by=by, summary=f"by {by}", now=NOW)
        except Exception as error:  # noqa: BLE001 - shown below
            troubles.append(error)
        finally:
            connections.close_all()

    people = [threading.Thread(target=work, args=[f"agent {n}"]) for n in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert troubles == []
    assert sorted(call for _, call in taken) == sorted(calls)
    assert len(taken) == len(calls)
    with all_tenants("test"):
        written = dict(Call.objects.values_list("pk", "ai_summary"))
    assert written == {call: f"by {by}" for by, call in taken}


def test_who_saw_the_call_free_too_late_gets_none(committed: None) -> None:
    """A claim that was committed between somebody's look and their own claim wins."""
    call = make_call(make_line(), ai_confidence="0.3")
    with all_tenants("test"):
        assert queue._claim(call, by="ann", now=NOW)
        assert queue._claim(call, by="bob", now=NOW) is None
        assert CallReview.objects.get().claimed_by == "ann"


def test_a_late_claim_and_the_end_of_the_review_do_not_block_each_other(committed: None) -> None:
    """Who claims holds the call, then meets its review: the other one takes them alike."""
    call = make_call(make_line(), ai_confidence="0.3")
    with all_tenants("test"):
        review = queue._claim(call, by="ann", now=NOW)
    assert review

    def finish() -> None:
        with all_tenants("test"):
            queue.finish(review.pk, by="ann", summary="hers", now=NOW)
        connections.close_all()

    finishing = threading.Thread(target=finish)
    with all_tenants("test"):
        with transaction.atomic():
            Call.objects.select_for_update(no_key=True).get(pk=call.pk)
            finishing.start()
            with connection.cursor() as cursor:
                while not cursor.execute(WAITS_FOR_US).fetchone():
                    assert finishing.is_alive()
            assert queue._claim(call, by="bob", now=NOW) is None
        finishing.join()
        assert CallReview.objects.get().reviewed_by == "ann"
