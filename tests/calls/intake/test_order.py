"""The same events give the same call, in any order, any number of times, and at the same time."""

import itertools
import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db import connection, transaction

from calls.intake.models import EventKind, EventOutcome
from calls.intake.webhooks.inbox import classify, store
from calls.intake.webhooks.signers import Signer
from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import (
    RECORDING,
    RECORDING_URL,
    TOKEN,
    new_sid,
    post,
    recording_event,
    voice_event,
)
from tests.factories import archive, make_call, make_line
from tests.outages import WAITS_FOR_US, until_taken

BEGAN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NOW = BEGAN + timedelta(minutes=5)
OTHER_RECORDING = RECORDING_URL.replace("REa", "REb")


def six_events(sid: str) -> list[tuple[EventKind, dict[str, str]]]:
    """Four of its progress (with Twilio's own counting) and two recordings."""
    voice = [("initiated", 0), ("ringing", 1), ("in-progress", 5), ("completed", 49)]
    events = [
        (
            EventKind.VOICE,
            voice_event(
                sid,
                status,
                SequenceNumber=str(number),
                Timestamp=format_datetime(BEGAN + timedelta(seconds=seconds)),
                CallDuration="44" if status == "completed" else None,
            ),
        )
        for number, (status, seconds) in enumerate(voice)
    ]
    recordings = [
        (EventKind.RECORDING, recording_event(sid, "completed", RecordingUrl=url))
        for url in (RECORDING_URL, OTHER_RECORDING)
    ]
    return events + recordings


def receive(kind: EventKind, parameters: dict[str, str], line: PhoneNumber) -> EventOutcome:
    """What the webhook does once the signature is right; a recording's line is not known."""
    of_line = kind is EventKind.VOICE
    signer = Signer(line.id if of_line else None, [TOKEN])
    return store(classify(kind, parameters, signer, received_at=NOW))


def final_call(sid: str) -> tuple[Any, ...]:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, provider_status, caller_number, duration, recording_url, created_at,"
            " phone_id FROM calls WHERE call_sid = %s",
            [sid],
        )
        [row] = cursor.fetchall()
        cursor.execute(
            "SELECT count(*) FROM call_events WHERE phone_id IS NULL OR outcome IN"
            " ('waiting', 'malformed', 'conflict')"
        )
        assert cursor.fetchone() == (0,)
    return tuple(row)


EXPECTED = (
    "completed", "completed", "+14155559999", 44, RECORDING_URL, BEGAN, "pn_bakery",
)  # fmt: skip


@pytest.mark.rounds(24, soak=240)
def test_every_order_of_six_events_gives_one_call(line: PhoneNumber, rounds: int) -> None:
    rng = random.Random(1)
    seen: Counter[tuple[Any, ...]] = Counter()
    for order in rng.sample([*itertools.permutations(range(6))], rounds):
        sid = new_sid()
        events = [six_events(sid)[i] for i in order]
        for _ in range(2):
            events.insert(rng.randint(0, len(events)), rng.choice(events))
        with transaction.atomic():
            for kind, parameters in events:
                receive(kind, parameters, line)
            seen[final_call(sid)] += 1
            transaction.set_rollback(True)
    assert seen == {EXPECTED: rounds}


@pytest.mark.parametrize("first", ["busy", "no-answer", "canceled", "failed", "completed"])
def test_an_end_stays(line: PhoneNumber, first: str) -> None:
    sid = new_sid()
    receive(EventKind.VOICE, voice_event(sid, first, SequenceNumber="0"), line)
    for late in ("queued", "initiated", "ringing", "in-progress"):
        event = voice_event(sid, late, SequenceNumber="9")
        assert receive(EventKind.VOICE, event, line) is EventOutcome.LATE
    with tenant(line.id):
        call = Call.objects.get()
    assert call.provider_status == first
    assert call.status == ("completed" if first == "completed" else "failed")


def test_an_event_wipes_nothing_that_it_lacks(line: PhoneNumber) -> None:
    sid = new_sid()
    end = voice_event(sid, "completed", CallDuration="49", RecordingUrl=RECORDING_URL)
    assert post(end).status_code == 204
    for status in ("completed", "in-progress"):
        assert post(voice_event(sid, status, From=None)).status_code == 204
    with tenant(line.id):
        call = Call.objects.get()
        outcomes = list(CallEvent.objects.order_by("id").values_list("outcome", flat=True))
    assert (call.duration, call.recording_url) == (49, RECORDING_URL)
    assert call.caller_number == "+14155559999"
    assert outcomes == ["applied", "duplicate", "late"]


def test_a_duplicate_does_not_touch_the_row(line: PhoneNumber) -> None:
    sid = new_sid()
    post(voice_event(sid, "ringing"))
    with tenant(line.id), connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text FROM calls")
        before = cursor.fetchone()
        post(voice_event(sid, "ringing"))
        cursor.execute("SELECT ctid::text FROM calls")
        assert cursor.fetchone() == before


def test_a_recording_that_somebody_set_stays(line: PhoneNumber) -> None:
    call = make_call(line, status="answered", recording_url="https://ours.example/1.mp3")
    assert post(recording_event(call.call_sid, "completed"), path=RECORDING).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().recording_url == "https://ours.example/1.mp3"


@pytest.mark.parametrize("status", ["in-progress", "absent", "failed"])
def test_a_recording_that_is_not_there_is_not_linked(line: PhoneNumber, status: str) -> None:
    call = make_call(line)
    assert post(recording_event(call.call_sid, status), path=RECORDING).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().recording_url is None


def test_a_recording_waits_for_its_call(line: PhoneNumber) -> None:
    sid = new_sid()
    assert post(recording_event(sid, "completed"), path=RECORDING).status_code == 204
    with all_tenants("test"):
        assert CallEvent.objects.get().outcome == "waiting"
        assert not Call.objects.exists()
    assert post(voice_event(sid, "ringing")).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().recording_url == RECORDING_URL
        assert CallEvent.objects.filter(outcome="applied").count() == 2


def test_an_event_of_an_archived_call_makes_no_second_row(line: PhoneNumber) -> None:
    sid = new_sid()
    archive(make_call(line, call_sid=sid))
    assert post(voice_event(sid, "in-progress")).status_code == 204
    assert post(recording_event(sid, "completed"), path=RECORDING).status_code == 204
    with tenant(line.id):
        assert not Call.objects.exists()
        assert set(CallEvent.objects.values_list("outcome", flat=True)) == {"archived"}


def test_an_event_of_another_lines_call_changes_nothing(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    live = make_call(other_line, status="ringing")
    archived = make_call(other_line)
    archive(archived)
    answers = {
        post(voice_event(sid, "completed", CallDuration="5")).status_code
        for sid in (live.call_sid, archived.call_sid, new_sid())
    }
    assert answers == {204}
    with tenant(other_line.id):
        assert Call.objects.get().status == "ringing"
        assert not CallEvent.objects.exists()
    with tenant(line.id):
        outcomes = CallEvent.objects.order_by("id").values_list("outcome", flat=True)
        assert list(outcomes) == ["conflict", "conflict", "applied"]
        assert Call.objects.count() == 1


def test_an_outbound_call_is_of_the_calling_line(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    outbound = voice_event(
        new_sid(), "ringing", Direction="outbound-api", From=line.number, To=other_line.number
    )
    assert post(outbound).status_code == 204
    inbound = voice_event(new_sid(), "ringing", From=line.number, To=other_line.number)
    assert post(inbound).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().caller_number == other_line.number
    with tenant(other_line.id):
        assert Call.objects.get().caller_number == line.number


@pytest.mark.usefixtures("committed")
def test_a_hundred_copies_at_once_give_one_row() -> None:
    line = make_line(id="pn_bakery", number="+14155550101")
    sid = new_sid()
    start = threading.Barrier(20)
    statuses: list[int] = []

    def send_five() -> None:
        """Twenty connect at once, so that one may be put off."""
        start.wait()
        event = voice_event(sid, "completed", CallDuration="7")
        statuses.extend(until_taken(lambda: post(event)) for _ in range(5))
        connection.close()

    threads = [threading.Thread(target=send_five) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {204: 100}
    with tenant(line.id):
        assert Call.objects.get().duration == 7
        event = CallEvent.objects.get()
    assert event.outcome == "applied"
    assert event.repeats >= 99


@pytest.mark.usefixtures("committed")
def test_events_of_many_calls_at_once_give_their_calls() -> None:
    line = make_line(id="pn_bakery", number="+14155550101")
    sids = [new_sid() for _ in range(15)]
    events = [event for sid in sids for event in six_events(sid) * 2]
    random.Random(2).shuffle(events)
    failed: list[BaseException] = []

    def work(share: list[tuple[EventKind, dict[str, str]]]) -> None:
        try:
            for kind, parameters in share:
                receive(kind, parameters, line)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(events[i::6],)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert {final_call(sid) for sid in sids} == {EXPECTED}


@pytest.mark.usefixtures("committed")
def test_an_event_that_meets_the_archiver_makes_no_second_row() -> None:
    line = make_line(id="pn_bakery", number="+14155550101")
    call = make_call(line)
    statuses: list[int] = []

    def send() -> None:
        statuses.append(post(voice_event(call.call_sid, "completed")).status_code)
        connection.close()

    sender = threading.Thread(target=send)
    with transaction.atomic(), connection.cursor() as cursor:
        archive(call)
        sender.start()
        waits: list[Any] = []
        while not waits:
            assert sender.is_alive()
            cursor.execute(WAITS_FOR_US)
            waits = cursor.fetchall()
    sender.join()
    assert statuses == [204]
    with tenant(line.id):
        assert not Call.objects.exists()
        assert CallEvent.objects.get().outcome == "archived"
