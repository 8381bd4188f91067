"""What was taken for a call, or claimed by a program, before it was known to be a leg."""

import itertools
import json
import threading
from itertools import chain
from typing import Any

import pytest
from django.db import connection, transaction

from calls.intake.pipeline import IsLeg, deliver
from calls.legs import legs_of
from calls.models import Call, CallArchive, CallEvent, CallLeg, CallRecording
from calls.recordings import recordings_of
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.archive import query
from tests.calls.intake.callbacks import (
    OWN_URL,
    RECORDING,
    RECORDING_URL,
    new_sid,
    post,
    recording_event,
    voice_event,
)
from tests.factories import archive, make_line
from tests.outages import WAITS_FOR_US


def of_leg(parent: str, leg: str, status: str, **overrides: str) -> dict[str, str]:
    named = {"ParentCallSid": parent, "Direction": "outbound-dial", "To": "+14155557777"}
    return voice_event(leg, status, **named | overrides)


def send(parameters: dict[str, str], **options: Any) -> None:
    assert post(parameters, **options).status_code == 204


def the_call(line: PhoneNumber, parent: str) -> Any:
    """The one call of the line, live or archived."""
    with tenant(line.pk):
        call: Any
        [call] = chain(Call.objects.all(), CallArchive.objects.all())
    assert call.call_sid == parent
    return call


def forget_everything() -> None:
    with all_tenants("test"):
        Call.objects.all().delete()
        CallEvent.objects.all().delete()
        assert not CallLeg.objects.exists()
        assert not CallRecording.objects.exists()


def test_a_claim_of_a_leg_is_no_call_in_any_order(line: PhoneNumber) -> None:
    for order in itertools.permutations(["parent", "claim", "leg"]):
        parent, leg = new_sid(), new_sid()
        for step in order:
            if step == "parent":
                send(voice_event(parent, "completed"))
            elif step == "leg":
                send(of_leg(parent, leg, "completed", CallDuration="40"))
            else:
                try:
                    with tenant(line.pk):
                        deliver(call_sid=leg, recording_url=OWN_URL)
                except IsLeg:
                    assert order[2] == "claim"
        call = the_call(line, parent)
        with tenant(line.pk):
            assert [(one.leg_sid, one.duration) for one in legs_of(call)] == [(leg, 40)]
            urls = [one.url for one in recordings_of(call)]
        assert urls == ([] if order[2] == "claim" else [OWN_URL])
        forget_everything()


@pytest.mark.usefixtures("committed")
def test_a_claim_waits_for_the_event_of_the_leg() -> None:
    line = make_line(id="pn_bakery", number="+14155550101")
    parent, leg = new_sid(), new_sid()
    send(voice_event(parent, "completed"))
    raised: list[type[BaseException]] = []

    def claim() -> None:
        try:
            with tenant(line.pk):
                deliver(call_sid=leg, recording_url=OWN_URL)
        except IsLeg as error:
            raised.append(type(error))
        finally:
            connection.close()

    thread = threading.Thread(target=claim)
    event = {"leg_sid": leg, "status": "completed", "provider_status": "completed"}
    with tenant(line.pk), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT app.apply_call_event(%s, %s)", [parent, json.dumps(event)])
        thread.start()
        while not cursor.execute(WAITS_FOR_US).fetchone():
            assert thread.is_alive()
    thread.join()
    assert raised == [IsLeg]
    the_call(line, parent)


@pytest.mark.parametrize("claimed", [False, True])
def test_a_leg_of_an_archived_call_is_no_call(line: PhoneNumber, claimed: bool) -> None:
    parent, leg = new_sid(), new_sid()
    send(voice_event(parent, "completed"))
    with all_tenants("test"):
        archive(Call.objects.get())
    if claimed:
        with tenant(line.pk):
            deliver(call_sid=leg, recording_url=OWN_URL)
    else:
        send(voice_event(leg, "completed", CallDuration="40"))
        send(recording_event(leg, "completed"), path=RECORDING)
    send(of_leg(parent, leg, "in-progress"))
    call = the_call(line, parent)
    [found] = legs_of(call)
    assert (found.leg_sid, found.to) == (leg, "+14155557777")
    assert (found.status, found.duration) == (
        ("in-progress", None) if claimed else ("completed", 40)
    )
    url = OWN_URL if claimed else RECORDING_URL
    assert [one.url for one in recordings_of(call)] == [url]
    assert call.recording_url == url


def test_every_order_gives_one_call_with_leg_and_recording(line: PhoneNumber) -> None:
    """The leg and its call report the same recording, and the leg names its parent once."""
    shown = set()
    for order in itertools.permutations(range(5)):
        parent, leg = new_sid(), new_sid()
        events = [
            (voice_event(parent, "completed", CallDuration="90"), "/webhooks/twilio/voice/"),
            (voice_event(leg, "completed", CallDuration="40"), "/webhooks/twilio/voice/"),
            (of_leg(parent, leg, "ringing"), "/webhooks/twilio/voice/"),
            (recording_event(leg, "completed", RecordingDuration="31"), RECORDING),
            (recording_event(parent, "in-progress", RecordingDuration=None), RECORDING),
        ]
        for place in order:
            send(events[place][0], path=events[place][1])
        call = the_call(line, parent)
        with tenant(line.pk):
            [found] = legs_of(call)
            [recording] = recordings_of(call)
            assert not CallEvent.objects.filter(outcome="malformed").exists()
        shown.add((found.leg_sid == leg, found.status, found.duration, found.to,
            recording.url, recording.state, recording.duration, call.recording_url))  # fmt: skip
        forget_everything()
    assert shown == {
        (True, "completed", 40, "+14155557777", RECORDING_URL, "completed", 31, RECORDING_URL)
    }


def test_a_leg_of_what_was_taken_for_a_call_in_every_order(line: PhoneNumber) -> None:
    for order in itertools.permutations(range(4)):
        parent, leg, further = new_sid(), new_sid(), new_sid()
        events = [
            voice_event(parent, "completed"),
            voice_event(leg, "ringing"),
            of_leg(parent, leg, "completed"),
            of_leg(leg, further, "busy"),
        ]
        for place in order:
            send(events[place])
        call = the_call(line, parent)
        with tenant(line.pk):
            found = {one.leg_sid: one.status for one in legs_of(call)}
        assert found == {leg: "completed", further: "busy"}
        forget_everything()


def test_a_call_that_somebody_wrote_to_stays_without_its_parts(line: PhoneNumber) -> None:
    parent, leg, further = new_sid(), new_sid(), new_sid()
    send(voice_event(parent, "completed"))
    send(voice_event(leg, "completed"))
    send(of_leg(leg, further, "busy"))
    send(recording_event(leg, "completed"), path=RECORDING)
    with tenant(line.pk):
        deliver(call_sid=leg, transcript="Hello.")
    send(of_leg(parent, leg, "completed"))
    with tenant(line.pk):
        assert Call.objects.get(call_sid=leg).transcript == "Hello."
        call = Call.objects.get(call_sid=parent)
        assert {one.leg_sid for one in legs_of(call)} == {leg, further}
        assert call.recording_url == RECORDING_URL
    for table in ("call_legs", "call_recordings"):
        assert query(f"SELECT DISTINCT call_sid FROM {table}") == [(parent,)]
