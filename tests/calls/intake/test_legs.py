"""A child leg is recorded under its call and counted nowhere as a call, in any order of events."""

import itertools
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from analytics.rollups import roll_up
from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from calls.legs import legs_of
from calls.models import Call, CallArchive, CallEvent, CallLeg
from calls.recordings import recordings_of
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.calls.archive import query
from tests.calls.intake.callbacks import (
    RECORDING,
    new_sid,
    post,
    recording_event,
    voice_event,
)

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)


def at(seconds: int) -> str:
    return format_datetime(BEGAN + timedelta(seconds=seconds))


def transfer(parent: str, leg: str, status: str, **overrides: str | None) -> dict[str, str]:
    """An event of the leg that a Dial verb made: from the caller, to a person."""
    of_the_leg = {"ParentCallSid": parent, "Direction": "outbound-dial", "To": "+14155557777"}
    return voice_event(leg, status, **of_the_leg | overrides)


def story(parent: str, leg: str) -> list[tuple[str, dict[str, str]]]:
    ends = {"CallDuration": "40", "Timestamp": at(70)}
    recording = {"RecordingSid": "RE" + "b" * 32, "RecordingStartTime": at(31)}
    return [
        ("/webhooks/twilio/voice/", voice_event(parent, "in-progress", Timestamp=at(0))),
        ("/webhooks/twilio/voice/", transfer(parent, leg, "ringing", Timestamp=at(20))),
        ("/webhooks/twilio/voice/", transfer(parent, leg, "completed", **ends)),
        (RECORDING, recording_event(leg, "completed", **recording)),
    ]


def shown(line: PhoneNumber, parent: str) -> tuple[Any, ...]:
    with tenant(line.pk):
        [call] = Call.objects.all()
        [leg] = legs_of(call)
        recordings = [(one.recording_sid, one.state) for one in recordings_of(call)]
    return call.call_sid == parent, leg.to, leg.result, leg.duration, leg.ended_at, recordings


def test_every_order_gives_one_call_with_its_leg(line: PhoneNumber) -> None:
    expected = (
        True, "+14155557777", "answered", 40, BEGAN + timedelta(seconds=70),
        [("RE" + "b" * 32, "completed")],
    )  # fmt: skip
    for order in itertools.permutations(range(4)):
        parent, leg = new_sid(), new_sid()
        events = story(parent, leg)
        for place in (*order, order[0]):
            path, parameters = events[place]
            assert post(parameters, path=path).status_code == 204
        assert shown(line, parent) == expected
        with all_tenants("test"):
            assert not CallEvent.objects.exclude(call_sid__in=[parent, leg]).exists()
            Call.objects.all().delete()
            CallEvent.objects.all().delete()
            assert not CallLeg.objects.exists()


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("busy", "busy"),
        ("no-answer", "no answer"),
        ("canceled", "canceled"),
        ("failed", "failed"),
        ("in-progress", "answered"),
        ("ringing", None),
    ],
)
def test_result_of_a_transfer(line: PhoneNumber, status: str, result: str | None) -> None:
    parent = new_sid()
    post(voice_event(parent, "in-progress"))
    post(transfer(parent, new_sid(), status))
    with tenant(line.pk):
        [call] = Call.objects.all()
    [leg] = api_of(line).get(f"/calls/{call.pk}/").json()["legs"]
    assert (leg["to"], leg["status"], leg["result"]) == ("+14155557777", status, result)


def test_a_leg_is_counted_nowhere(line: PhoneNumber) -> None:
    parent = new_sid()
    post(voice_event(parent, "completed", CallDuration="90"))
    post(transfer(parent, new_sid(), "completed", CallDuration="40"))
    with all_tenants("test"):
        roll_up()
    assert query("SELECT sum(total_calls) FROM call_analytics") == [(1,)]
    assert len(api_of(line).get("/calls/?archived=include").json()["results"]) == 1


def test_a_leg_of_another_lines_number_stays_with_its_call(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    """A call of one of our lines to another, which transfers it to a third."""
    parent, leg = new_sid(), new_sid()
    early = transfer(parent, leg, "ringing", From=other_line.number, To=other_line.number)
    assert post(early).status_code == 204
    post(voice_event(parent, "in-progress"))
    with tenant(other_line.pk):
        assert not CallLeg.objects.exists()
        assert not CallEvent.objects.exists()
    with tenant(line.pk):
        assert CallLeg.objects.get().leg_sid == leg
        assert CallEvent.objects.count() == 2


def test_what_was_taken_for_a_call_becomes_a_leg(line: PhoneNumber) -> None:
    parent, leg = new_sid(), new_sid()
    post(voice_event(parent, "in-progress"))
    post(voice_event(leg, "ringing", Direction="outbound-dial", From=line.number))
    post(transfer(parent, leg, "completed", CallDuration="5"))
    post(voice_event(leg, "completed", CallDuration="6"))
    with tenant(line.pk):
        assert Call.objects.get().call_sid == parent
        assert CallLeg.objects.get().duration == 6


def test_legs_and_recordings_survive_the_archive(line: PhoneNumber) -> None:
    parent, leg = new_sid(), new_sid()
    for path, parameters in story(parent, leg):
        post(parameters, path=path)
    tables = "SELECT * FROM call_legs", "SELECT * FROM call_recordings", "SELECT * FROM calls"
    post(voice_event(parent, "completed"))
    before = [query(table) for table in tables]
    call_id = query("SELECT id FROM calls")[0][0]
    live = api_of(line).get(f"/calls/{call_id}/").json()
    archive_calls(cut_off=datetime.now(UTC), started_by="test")
    assert [query(table) for table in tables] == [[], [], []]
    archived = api_of(line).get(f"/calls/{call_id}/").json()
    assert archived == live | {"archived": True}
    assert archived["legs"][0]["result"] == "answered"

    # What comes late is recorded in the archive.
    late = {"RecordingSid": "RE" + "c" * 32, "RecordingStartTime": at(60)}
    late["RecordingUrl"] = "https://api.twilio.com/Recordings/RE" + "c" * 32
    assert post(recording_event(parent, "completed", **late), path=RECORDING).status_code == 204
    assert post(transfer(parent, leg, "completed", CallDuration="41")).status_code == 204
    with tenant(line.pk):
        assert CallEvent.objects.first().outcome == "archived"
        [kept] = CallArchive.objects.all()
        assert kept.recording_url == late["RecordingUrl"]
        assert [one.recording_sid[2] for one in recordings_of(kept)] == ["b", "c"]
        assert [one.duration for one in legs_of(kept)] == [41]

    restore_calls(Choice(call_sid=parent), started_by="test")
    assert query("SELECT count(*) FROM call_recordings") == [(2,)]
    assert query(tables[0]) == [tuple(41 if v == 40 else v for v in before[0][0])]


def test_a_deleted_call_takes_its_legs_and_no_others(line: PhoneNumber) -> None:
    parents = [new_sid(), new_sid()]
    for parent in parents:
        post(voice_event(parent, "in-progress"))
        post(transfer(parent, new_sid(), "busy"))
        post(recording_event(parent, "completed"), path=RECORDING)
    with tenant(line.pk):
        Call.objects.get(call_sid=parents[0]).delete()
        assert CallLeg.objects.get().call_sid == parents[1]
    assert query("SELECT call_sid FROM call_recordings") == [(parents[1],)]
