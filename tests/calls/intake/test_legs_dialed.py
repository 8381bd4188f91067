"""A call reports the leg that a Dial made, by the parameters of the Dial's action."""

import itertools
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from calls.intake.webhooks.replaying import replay_events
from calls.legs import legs_of
from calls.models import Call, CallArchive, CallEvent, CallLeg
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.calls.call_files import import_text, page, twilio_call
from tests.calls.intake.callbacks import new_sid, post, voice_event
from tests.factories import archive

PERSON = "+14155557777"
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)


def dialed(parent: str, leg: str, word: str, **overrides: str | None) -> dict[str, str]:
    """What Twilio sends to the action of a Dial when the dialed call is over."""
    of_leg = {"DialCallSid": leg, "DialCallStatus": word, "DialCallDuration": "14"}
    return voice_event(parent, "in-progress", CallbackSource=None, **of_leg | overrides)


def of_the_leg(parent: str, leg: str, status: str) -> dict[str, str]:
    ends = {"CallDuration": "14", "Timestamp": format_datetime(BEGAN + timedelta(seconds=14))}
    return voice_event(
        leg, status, ParentCallSid=parent, Direction="outbound-dial", To=PERSON, **ends
    )


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("completed", "answered"),
        ("answered", "answered"),
        ("busy", "busy"),
        ("no-answer", "no answer"),
        ("canceled", "canceled"),
        ("failed", "failed"),
    ],
)
def test_result_of_a_dial(line: PhoneNumber, word: str, result: str) -> None:
    parent, leg = new_sid(), new_sid()
    assert post(dialed(parent, leg, word)).status_code == 204
    with tenant(line.pk):
        [call] = Call.objects.all()
        assert CallEvent.objects.get().outcome == "applied"
    assert (call.call_sid, call.status) == (parent, "answered")
    [shown] = api_of(line).get(f"/calls/{call.pk}/").json()["legs"]
    assert (shown["leg_sid"], shown["status"], shown["result"]) == (leg, word, result)
    assert (shown["duration"], shown["to"], shown["ended_at"]) == (14, None, None)


def test_a_dial_completes_its_leg_in_every_order(line: PhoneNumber) -> None:
    for order in itertools.permutations(range(4)):
        parent, leg = new_sid(), new_sid()
        events = [
            voice_event(parent, "ringing"),
            dialed(parent, leg, "answered"),
            of_the_leg(parent, leg, "ringing") | {"CallDuration": "0"},
            of_the_leg(parent, leg, "completed"),
        ]
        for place in (*order, order[0]):
            assert post(events[place]).status_code == 204
        with tenant(line.pk):
            [call] = Call.objects.all()
            [found] = legs_of(call)
        assert (found.leg_sid, found.to, found.status) == (leg, PERSON, "completed")
        assert (found.duration, found.started_at) == (14, BEGAN)
        with all_tenants("test"):
            assert not CallEvent.objects.filter(outcome="waiting").exists()
            Call.objects.all().delete()
            CallEvent.objects.all().delete()


def test_a_dial_that_ends_after_the_call_is_news(line: PhoneNumber) -> None:
    parent, leg = new_sid(), new_sid()
    post(voice_event(parent, "completed"))
    for _ in range(2):
        post(dialed(parent, leg, "busy", CallStatus="completed"))
    with tenant(line.pk):
        assert CallEvent.objects.first().outcome == "applied"
        assert CallLeg.objects.get().status == "busy"
        ids = [CallEvent.objects.first().pk]
    assert replay_events(ids) == {"duplicate": 1}


def test_a_dial_of_an_archived_call(line: PhoneNumber) -> None:
    parent, leg = new_sid(), new_sid()
    post(voice_event(parent, "completed", Timestamp=format_datetime(BEGAN)))
    with tenant(line.pk):
        call = Call.objects.get()
    archive(call)
    post(dialed(parent, leg, "no-answer"))
    with tenant(line.pk):
        [kept] = CallArchive.objects.all()
        assert [(found.leg_sid, found.result) for found in legs_of(kept)] == [(leg, "no answer")]
        assert CallEvent.objects.first().outcome == "archived"
        assert not Call.objects.exists()


def test_a_dial_of_a_leg_is_of_its_call(line: PhoneNumber, tmp_path: Path) -> None:
    for waits in (True, False):
        parent, leg, of_leg = new_sid(), new_sid(), new_sid()
        of_both = of_the_leg(parent, leg, "in-progress") | {
            "DialCallSid": of_leg,
            "DialCallStatus": "busy",
        }
        if waits:
            post(of_both)
        import_text(tmp_path, page(twilio_call(sid=parent)))
        post(of_both)
        with tenant(line.pk):
            [call] = Call.objects.all()
            assert {(found.leg_sid, found.result) for found in legs_of(call)} == {
                (leg, "answered"),
                (of_leg, "busy"),
            }
            Call.objects.all().delete()


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"DialCallSid": None}, "DialCallSid is not the SID of a leg"),
        ({"DialCallSid": "leg"}, "DialCallSid is not the SID of a leg"),
        ({"DialCallStatus": "vanished"}, "DialCallStatus is not known"),
    ],
)
def test_a_doubtful_dial_costs_itself(
    line: PhoneNumber, overrides: dict[str, str | None], reason: str
) -> None:
    parent = new_sid()
    assert post(dialed(parent, new_sid(), "busy", **overrides)).status_code == 204
    with tenant(line.pk):
        assert Call.objects.get().call_sid == parent
        assert not CallLeg.objects.exists()
        event = CallEvent.objects.get()
    assert (event.outcome, event.reason) == ("applied", reason)


def test_a_doubtful_length_costs_itself(line: PhoneNumber) -> None:
    post(dialed(new_sid(), new_sid(), "completed", DialCallDuration="1:05"))
    with tenant(line.pk):
        assert CallLeg.objects.get().duration is None
        assert "DialCallDuration" in CallEvent.objects.get().reason


def test_a_dial_without_a_leg_is_nothing(line: PhoneNumber) -> None:
    """A Dial into a conference names no leg."""
    post(voice_event(new_sid(), "in-progress", DialCallStatus=""))
    with tenant(line.pk):
        assert CallEvent.objects.get().reason is None
        assert not CallLeg.objects.exists()


def test_a_leg_that_is_dialed_is_no_call_of_the_line(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    """The leg's SID is that of another line's call: it stays what it is there."""
    parent, leg = new_sid(), new_sid()
    post(voice_event(leg, "completed", To=other_line.number))
    post(dialed(parent, leg, "completed"))
    with tenant(other_line.pk):
        assert Call.objects.get().call_sid == leg
        assert not CallLeg.objects.exists()
    with tenant(line.pk):
        assert CallLeg.objects.get().leg_sid == leg
