"""A row of a file with a parent call is a leg of that call, in any order and by any way."""

import itertools
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from analytics.rollups import roll_up
from calls.intake.models import EventKind
from calls.intake.webhooks.inbox import classify, store
from calls.intake.webhooks.replaying import replay_events
from calls.intake.webhooks.signers import Signer
from calls.legs import legs_of
from calls.models import Call, CallArchive, CallEvent, CallLeg
from calls.recordings import recordings_of
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber, TelephonyCredential
from tests.api_client import api_of
from tests.calls.archive import query
from tests.calls.call_files import (
    BAKERY,
    GARAGE,
    console_csv,
    console_row,
    import_text,
    lines,
    own_call,
    page,
    rejected,
    twilio_call,
)
from tests.calls.intake.callbacks import (
    RECORDING,
    RECORDING_URL,
    TOKEN,
    new_sid,
    post,
    recording_event,
    voice_event,
)
from tests.calls.test_import_beside_events import LOCKS, WRITTEN, in_a_thread
from tests.factories import archive, hold, make_call, make_line
from tests.outages import WAITS_FOR_US

PERSON = "+14155557777"
BEGAN, ENDED = (datetime(2026, 3, 3, 20, 36, second, tzinfo=UTC) for second in (30, 44))
TABLES = ("calls", "call_legs", "call_recordings", "call_events", "call_metadata")


def twilio_leg(parent: str, leg: str, **overrides: Any) -> dict[str, Any]:
    """The transfer to a person, as Twilio lists it beside the call."""
    row = {
        "sid": leg,
        "parent_call_sid": parent,
        "direction": "outbound-dial",
        "to": PERSON,
        "start_time": "Tue, 03 Mar 2026 20:36:30 +0000",
        "end_time": "Tue, 03 Mar 2026 20:36:44 +0000",
        "duration": "14",
    }
    return twilio_call(**row | overrides)


def own_leg(parent: str, leg: str, **overrides: Any) -> dict[str, Any]:
    row = {
        "call_sid": leg,
        "parent_call_sid": parent,
        "direction": "outbound-dial",
        "to": PERSON,
        "created_at": "2026-03-03T20:36:30Z",
        "ended_at": "2026-03-03T20:36:44Z",
        "duration": 14,
    }
    return own_call(**row | overrides)


def callback_of_leg(parent: str, leg: str, status: str, at: datetime, **more: str) -> None:
    event = voice_event(
        leg, status, ParentCallSid=parent, Direction="outbound-dial", To=PERSON,
        Timestamp=format_datetime(at), **more,
    )  # fmt: skip
    assert post(event).status_code == 204


def everything() -> list[Any]:
    return [query(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES]


def the_legs(line: PhoneNumber) -> list[tuple[Any, ...]]:
    """The line's one call, and its legs."""
    with tenant(line.pk):
        [call] = Call.objects.all()
        return [
            (leg.leg_sid, leg.to, leg.direction, leg.status, leg.duration, leg.started_at,
                leg.ended_at)
            for leg in legs_of(call)
        ]  # fmt: skip


def recorded(leg: str) -> list[tuple[Any, ...]]:
    return [(leg, PERSON, "outbound-dial", "completed", 14, BEGAN, ENDED)]


def by_file(directory: Path, parent: str, leg: str, part: str) -> None:
    states = {
        "parent": twilio_call(sid=parent),
        "ringing": twilio_leg(parent, leg, status="ringing", duration=None, end_time=None),
        "completed": twilio_leg(parent, leg),
    }
    import_text(directory, page(states[part]))
    assert rejected(directory) == []


def by_callback(directory: Path, parent: str, leg: str, part: str) -> None:
    if part == "parent":
        assert post(voice_event(parent, "completed", CallDuration="15")).status_code == 204
    elif part == "ringing":
        callback_of_leg(parent, leg, part, BEGAN)
    else:
        callback_of_leg(parent, leg, part, ENDED, CallDuration="14")


WAYS = {"file": by_file, "callback": by_callback}


@pytest.mark.parametrize("of_parent", WAYS)
@pytest.mark.parametrize("of_leg", WAYS)
def test_every_order_by_file_and_callback(
    line: PhoneNumber, tmp_path: Path, of_parent: str, of_leg: str
) -> None:
    for order in itertools.permutations(["parent", "ringing", "completed"]):
        parent, leg = new_sid(), new_sid()
        for part in order:
            WAYS[of_parent if part == "parent" else of_leg](tmp_path, parent, leg, part)
        assert the_legs(line) == recorded(leg)
        with all_tenants("test"):
            assert not CallEvent.objects.filter(outcome="waiting").exists()
            assert not CallEvent.objects.exclude(phone_id=line.pk).exists()
            Call.objects.all().delete()
            CallEvent.objects.all().delete()


def in_console_csv(parent: str, leg: str) -> list[str]:
    of_leg = {
        "Call Sid": leg,
        "Parent Call Sid": parent,
        "Direction": "Outgoing Dial",
        "To": PERSON,
        "Start Time": "20:36:30 UTC 2026-03-03",
        "Duration": "14",
    }
    return [console_csv(console_row(**row)) for row in ({"Call Sid": parent}, of_leg)]


def in_own_csv(parent: str, leg: str) -> list[str]:
    head = "number,caller_number,call_sid,parent_call_sid,to,status,duration,created_at,ended_at\n"
    call = f"{BAKERY},+14155559999,{parent},,,completed,15,2026-03-03T20:36:29Z,\n"
    times = "2026-03-03T20:36:30Z,2026-03-03T20:36:44Z"
    return [head + call, f"{head}{BAKERY},,{leg},{parent},{PERSON},completed,14,{times}\n"]


def in_json_lines(parent: str, leg: str) -> list[str]:
    return [lines(own_call(call_sid=parent)), lines(own_leg(parent, leg))]


def in_pages(parent: str, leg: str) -> list[str]:
    return [page(twilio_call(sid=parent)), page(twilio_leg(parent, leg))]


@pytest.mark.parametrize("written", [in_console_csv, in_own_csv, in_json_lines, in_pages])
@pytest.mark.parametrize("command", ["import_calls", "reconcile_calls"])
@pytest.mark.parametrize("is_child_first", [True, False])
def test_every_format_of_both_commands(
    line: PhoneNumber, tmp_path: Path, written: Any, command: str, is_child_first: bool
) -> None:
    parent, leg = new_sid(), new_sid()
    texts = written(parent, leg)
    for text in reversed(texts) if is_child_first else texts:
        path = tmp_path / "calls"
        path.write_text(text)
        call_command(command, str(path))
        assert not Path(f"{path}.rejects.csv").exists()
    expected = recorded(leg)[0]
    [found] = the_legs(line)
    assert (found[:2], found[3:]) == (expected[:2], expected[3:])
    assert found[2] in ("outbound-dial", "outgoing-dial", None)


@pytest.mark.parametrize("name", ["parent_call_sid", "parentCallSid", "ParentCallSid"])
@pytest.mark.parametrize("make", [twilio_leg, own_leg])
def test_spellings_of_the_column(line: PhoneNumber, tmp_path: Path, name: str, make: Any) -> None:
    parent, leg = new_sid(), new_sid()
    row = make("", leg)
    del row["parent_call_sid"]
    printed = import_text(tmp_path, lines(row | {name: parent}, own_call(call_sid=parent)))
    assert "read 1, loaded 1" in printed
    assert "legs of calls: recorded 1, unchanged 0" in printed
    assert "Unknown columns" not in printed
    assert the_legs(line) == recorded(leg)


def test_one_file_in_every_order(line: PhoneNumber, tmp_path: Path) -> None:
    for order in itertools.permutations(range(4)):
        parent, leg, of_leg = new_sid(), new_sid(), new_sid()
        rows = [
            twilio_call(sid=parent),
            twilio_leg(parent, leg, status="in-progress", end_time=None),
            own_leg(parent, leg),
            twilio_leg(leg, of_leg, status="busy", duration="0"),
        ]
        text = lines(*(rows[place] for place in order))
        dry = import_text(tmp_path, text, "--dry-run")
        printed = import_text(tmp_path, text)
        assert "read 1, loaded 1, updated 0, unchanged 0, rejected 0" in printed
        assert "legs of calls: recorded 2, unchanged 0\n" in printed
        assert dry.splitlines()[:2] == printed.splitlines()[:2]
        assert [(found[0], found[3]) for found in the_legs(line)] == [
            (leg, "completed"),
            (of_leg, "busy"),
        ]
        with all_tenants("test"):
            Call.objects.all().delete()
            assert not CallEvent.objects.exists()


def test_a_leg_of_a_file_is_counted_nowhere(line: PhoneNumber, tmp_path: Path) -> None:
    parent = new_sid()
    text = page(twilio_leg(parent, new_sid()), twilio_call(sid=parent))
    assert "read 1, loaded 1" in import_text(tmp_path, text)
    with all_tenants("test"):
        roll_up()
    assert query("SELECT sum(total_calls) FROM call_analytics") == [(1,)]
    [shown] = api_of(line).get("/calls/?archived=include").json()["results"]
    assert shown["call_sid"] == parent


def test_a_leg_of_a_leg_by_callback_in_every_order(line: PhoneNumber) -> None:
    for order in itertools.permutations(range(3)):
        parent, leg, of_leg = new_sid(), new_sid(), new_sid()
        for place in order:
            if place == 0:
                post(voice_event(parent, "in-progress"))
            elif place == 1:
                callback_of_leg(parent, leg, "in-progress", BEGAN)
            else:
                callback_of_leg(leg, of_leg, "no-answer", ENDED)
        assert [found[0] for found in the_legs(line)] == [leg, of_leg]
        with all_tenants("test"):
            assert not CallEvent.objects.filter(outcome="waiting").exists()
            Call.objects.all().delete()
            assert not CallLeg.objects.exists()


def test_a_file_twice_changes_nothing(line: PhoneNumber, tmp_path: Path) -> None:
    parent, leg = new_sid(), new_sid()
    recording = {"recording_url": RECORDING_URL}
    text = page(
        twilio_leg(parent, leg, **recording),
        twilio_call(sid=parent),
        twilio_leg(new_sid(), new_sid()),
    )
    assert "recorded 1, unchanged 0, waiting 1 until" in import_text(tmp_path, text)
    before = everything()
    assert "recorded 0, unchanged 1, waiting 1 until" in import_text(tmp_path, text)
    assert everything() == before
    with tenant(line.pk):
        [call] = Call.objects.all()
        assert [one.url for one in recordings_of(call)] == [RECORDING_URL]


def test_dry_run_has_the_same_numbers_and_writes_nothing(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    here, later, theirs, archived = (
        make_call(line),
        new_sid(),
        make_call(other_line),
        make_call(line),
    )
    archive(archived)
    known, waited = new_sid(), new_sid()
    import_text(tmp_path, lines(own_leg(here.call_sid, known), twilio_leg(later, waited)))
    text = lines(
        own_leg(here.call_sid, known),
        own_leg(here.call_sid, known, status="ringing"),
        own_leg(here.call_sid, new_sid()),
        own_leg(archived.call_sid, new_sid()),
        own_leg(theirs.call_sid, new_sid()),
        twilio_leg(theirs.call_sid, new_sid()),
        twilio_leg(later, new_sid()),
        twilio_leg(new_sid(), new_sid()),
        twilio_call(sid=later),
        own_call(call_sid=known, created_at="2026-03-03T20:36:30Z", duration=14),
        own_call(call_sid=theirs.call_sid),
        twilio_leg("no SID", new_sid()),
    )
    before = everything()
    counts = f"{WRITTEN} UNION ALL {LOCKS}"
    was = query(counts)
    dry = import_text(tmp_path, text, "--dry-run")
    assert query(counts) == was
    assert everything() == before
    assert "read 3, loaded 1, updated 0, unchanged 0, rejected 2" in dry
    assert "legs of calls: recorded 5, unchanged 1, waiting 2 until" in dry
    assert dry.splitlines()[:2] == import_text(tmp_path, text).splitlines()[:2]
    with all_tenants("test"):
        assert CallLeg.objects.filter(leg_sid=waited, phone_id=line.pk).exists()


def test_a_file_of_one_line_does_not_see_the_calls_of_another(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path, settings: Settings
) -> None:
    settings.TELEPHONY_KEYS = [Fernet.generate_key().decode()]
    make_credential(line, "AC" + "a" * 32)
    elsewhere, nowhere = make_call(other_line).call_sid, new_sid()
    rows = [
        [own_leg(parent, leg), twilio_leg(parent, new_sid(), account_sid="AC" + "A" * 32)]
        for parent, leg in ((elsewhere, new_sid()), (nowhere, new_sid()))
    ]
    for options in (["--dry-run"], [], []):
        printed = [import_text(tmp_path, lines(*of_both), *options) for of_both in rows]
        assert printed[0] == printed[1]
        assert "waiting 2 until" in printed[0]
        assert rejected(tmp_path) == []
    import_text(tmp_path, lines(own_call(call_sid=elsewhere, number=GARAGE)))
    post(voice_event(elsewhere, "completed", To=GARAGE))
    with all_tenants("test"):
        assert not CallLeg.objects.exists()
        events = CallEvent.objects.filter(kind="reconciled")
        assert set(events.values_list("phone_id", "outcome")) == {(line.pk, "waiting")}
        ids = list(events.values_list("pk", flat=True))
    replay_events(ids)
    with all_tenants("test"):
        assert not CallLeg.objects.exists()
    import_text(tmp_path, lines(own_call(call_sid=nowhere)))
    with all_tenants("test"):
        assert set(CallLeg.objects.values_list("phone_id", "call_sid")) == {(line.pk, nowhere)}
        assert CallLeg.objects.count() == 2


def make_credential(line: PhoneNumber, account: str) -> None:
    with tenant(line.pk):
        own = TelephonyCredential(phone=line, account_sid=account)
        own.set_tokens(current=TOKEN)
        own.save()


def test_the_provider_names_no_line_of_a_leg(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    """A transfer to another line's number is a leg of the call that was transferred."""
    parent, leg = new_sid(), new_sid()
    to_line = {"to": GARAGE, "from": GARAGE}
    import_text(tmp_path, page(twilio_leg(parent, leg, **to_line), twilio_call(sid=parent)))
    with tenant(other_line.pk):
        assert not CallLeg.objects.exists()
        assert not Call.objects.exists()
    with tenant(line.pk):
        assert CallLeg.objects.get().to == GARAGE


def test_an_archived_call_gets_its_legs(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(line)
    leg, waited = new_sid(), new_sid()
    archive(call)
    text = lines(own_leg(call.call_sid, leg))
    assert "recorded 1, unchanged 0" in import_text(tmp_path, text, "--dry-run")
    assert "recorded 1, unchanged 0" in import_text(tmp_path, text)
    assert "recorded 0, unchanged 1" in import_text(tmp_path, text, "--dry-run")
    assert "recorded 0, unchanged 1" in import_text(tmp_path, text)
    import_text(tmp_path, page(twilio_leg(call.call_sid, waited)))
    with tenant(line.pk):
        [kept] = CallArchive.objects.all()
        assert {found.leg_sid for found in legs_of(kept)} == {leg, waited}
        assert not CallLeg.objects.exists()
        assert not Call.objects.exists()


def test_a_held_call_gets_its_legs(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(line)
    leg = new_sid()
    post(voice_event(call.call_sid, "completed", DialCallSid=leg, DialCallStatus="busy"))
    hold(call)
    for _ in range(2):
        import_text(tmp_path, lines(own_leg(call.call_sid, leg, status="failed")))
        assert rejected(tmp_path) == []
    with tenant(line.pk):
        found = CallLeg.objects.get()
    assert (found.to, found.status, found.started_at) == (PERSON, "busy", BEGAN)


def test_the_leg_of_a_deleted_call_waits(line: PhoneNumber, tmp_path: Path) -> None:
    parent = new_sid()
    text = page(twilio_leg(parent, new_sid()))
    import_text(tmp_path, page(twilio_call(sid=parent)))
    assert "recorded 1" in import_text(tmp_path, text)
    with tenant(line.pk):
        Call.objects.all().delete()
    assert "recorded 0, unchanged 0, waiting 1" in import_text(tmp_path, text)
    with all_tenants("test"):
        assert not CallLeg.objects.exists()


@pytest.mark.parametrize("command", ["import_calls", "reconcile_calls"])
@pytest.mark.parametrize("make", [twilio_call, own_call])
def test_a_row_of_a_known_leg_is_no_call(
    line: PhoneNumber, tmp_path: Path, command: str, make: Any
) -> None:
    parent, leg = new_sid(), new_sid()
    post(voice_event(parent, "completed"))
    callback_of_leg(parent, leg, "ringing", BEGAN)
    named = {"sid": leg} if make is twilio_call else {"call_sid": leg}
    path = tmp_path / "calls"
    path.write_text(lines(make(**named)))
    call_command(command, str(path))
    [found] = the_legs(line)
    assert (found[0], found[3], found[4]) == (leg, "completed", 15)


def test_what_a_file_took_for_a_call_becomes_a_leg(line: PhoneNumber, tmp_path: Path) -> None:
    parent, leg = new_sid(), new_sid()
    row = twilio_leg(parent, leg, **{"from": BAKERY})
    without = {name: value for name, value in row.items() if name != "parent_call_sid"}
    assert "loaded 2" in import_text(tmp_path, page(without, twilio_call(sid=parent)))
    assert "recorded 1" in import_text(tmp_path, page(row))
    assert the_legs(line) == recorded(leg)
    # With the text that somebody wrote to it, it stays.
    other = new_sid()
    import_text(tmp_path, lines(own_call(call_sid=other, transcript="Hello.")))
    import_text(tmp_path, page(twilio_leg(parent, other)))
    with tenant(line.pk):
        assert Call.objects.get(call_sid=other).transcript == "Hello."


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (twilio_leg("no SID", new_sid()), "parent_call_sid is not a call SID"),
        (
            twilio_leg(new_sid(), new_sid(), parent_call_sid=17),
            "parent_call_sid is not a call SID",
        ),
        (twilio_leg(new_sid(), new_sid(), ParentCallSid="x"), "in two columns"),
        (twilio_leg(new_sid(), new_sid(), to="1.41556E+10"), "shortened by a spreadsheet"),
        (
            twilio_leg(new_sid(), new_sid(), direction="sideways"),
            "direction 'sideways' is unknown",
        ),
        (twilio_leg(new_sid(), new_sid(), end_time="soon"), "end_time is not a time"),
        (twilio_leg(new_sid(), new_sid(), duration="long"), "duration 'long'"),
        (own_leg(new_sid(), new_sid(), number=None), "the line is missing"),
        (own_leg(new_sid(), new_sid(), transcript="Hello."), "transcript is given of a leg"),
        (own_leg(new_sid(), new_sid(), tags=["x"]), "tags is given of a leg"),
    ],
)
@pytest.mark.usefixtures("line")
def test_a_leg_that_cannot_be_read_is_rejected(
    tmp_path: Path, row: dict[str, Any], reason: str
) -> None:
    import_text(tmp_path, lines(row, own_call()))
    [found] = rejected(tmp_path)
    assert reason in found["reason"]
    assert found["call_sid"] == row.get("sid", row.get("call_sid"))


def test_a_call_may_name_itself_or_nothing(line: PhoneNumber, tmp_path: Path) -> None:
    sid = new_sid()
    rows = [
        twilio_call(sid=sid, parent_call_sid=sid),
        twilio_call(parent_call_sid=None),
        own_call(parent_call_sid="", to="", ended_at=None),
    ]
    printed = import_text(tmp_path, lines(*rows))
    assert "loaded 3" in printed
    assert "legs" not in printed
    assert "Unknown" not in printed


def test_calls_that_are_each_others_parents_are_kept_once(line: PhoneNumber) -> None:
    first, second = new_sid(), new_sid()
    post(voice_event(first, "in-progress"))
    callback_of_leg(first, second, "in-progress", BEGAN)
    callback_of_leg(second, first, "in-progress", BEGAN)
    assert [found[0] for found in the_legs(line)] == [second]


def test_legs_of_another_provider(line: PhoneNumber, tmp_path: Path) -> None:
    text = lines(own_leg("call-1", "leg-1"), own_leg("call-2", "leg-2"))
    assert "recorded 0, unchanged 0, waiting 2" in import_text(tmp_path, text)
    with all_tenants("test"):
        ids = sorted(CallEvent.objects.values_list("pk", flat=True))
    assert replay_events(ids) == {"waiting": 2}
    import_text(tmp_path, lines(own_call(call_sid="call-1")))
    assert the_legs(line) == recorded("leg-1")
    with all_tenants("test"):
        Call.objects.all().delete()
    make_call(line, call_sid="call-2")
    assert replay_events(ids[1:]) == {"applied": 1}
    assert the_legs(line) == recorded("leg-2")


def test_reconciling_keeps_what_it_recorded_in_the_inbox(
    line: PhoneNumber, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent, leg = new_sid(), new_sid()
    path = tmp_path / "calls.json"
    path.write_text(
        page(twilio_leg(parent, leg), twilio_call(sid=parent), twilio_leg(new_sid(), new_sid()))
    )
    call_command("reconcile_calls", str(path))
    printed = capsys.readouterr().out
    assert "Calls compared: 1, filled in: 1." in printed
    assert "legs of calls: recorded 1, unchanged 0, waiting 1 until" in printed
    before = everything()
    with tenant(line.pk):
        events = CallEvent.objects.filter(payload__ParentCallSid=parent)
        assert replay_events(list(events.values_list("pk", flat=True))) == {"duplicate": 1}
    call_command("reconcile_calls", str(path))
    assert "legs of calls: recorded 0, unchanged 1, waiting 1 until" in capsys.readouterr().out
    assert everything()[:3] == before[:3]


def test_a_damaged_file_has_its_legs_recorded_so_far(line: PhoneNumber, tmp_path: Path) -> None:
    parent, leg = new_sid(), new_sid()
    text = page(twilio_leg(parent, leg), twilio_call(sid=parent))
    path = tmp_path / "calls.json"
    path.write_text(text[: text.rindex("]")] + ', {"sid": ')
    with pytest.raises(Exception, match="damaged or incomplete"):
        call_command("import_calls", str(path))
    assert the_legs(line) == recorded(leg)


def test_a_file_brings_the_call_that_a_recording_waited_for(
    line: PhoneNumber, tmp_path: Path
) -> None:
    parent = new_sid()
    assert post(recording_event(parent, "completed"), path=RECORDING).status_code == 204
    import_text(tmp_path, page(twilio_call(sid=parent)))
    with tenant(line.pk):
        [call] = Call.objects.all()
        assert call.recording_url == RECORDING_URL
        assert CallEvent.objects.get().outcome == "applied"


@pytest.mark.usefixtures("committed")
def test_import_waits_for_an_event_that_found_no_call(tmp_path: Path) -> None:
    """The event looks for the call before the import commits it, and is stored after that."""
    line = make_line(number=BAKERY)
    parent, leg = new_sid(), new_sid()
    of_leg = voice_event(leg, "busy", ParentCallSid=parent, Direction="outbound-dial", To=PERSON)
    event = classify(EventKind.VOICE, of_leg, Signer(None, [TOKEN]), received_at=timezone.now())
    printed: list[str] = []
    with transaction.atomic():
        assert store(event) == "waiting"
        thread = in_a_thread(printed, tmp_path, page(twilio_call(sid=parent)))
        with connection.cursor() as cursor:
            while not cursor.execute(WAITS_FOR_US).fetchone():
                assert thread.is_alive()
    thread.join()
    assert "legs of calls: recorded 1" in printed[0]
    assert [(found[0], found[3]) for found in the_legs(line)] == [(leg, "busy")]


def test_many_legs_are_recorded_in_batches(
    line: PhoneNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls.intake.imports.file_legs.BATCH_ROWS", 2)
    monkeypatch.setattr("calls.intake.imports.waiting.PAGE", 2)
    monkeypatch.setattr("calls.intake.imports.waiting.BATCH_CALLS", 1)
    monkeypatch.setattr("calls.intake.imports.chunks.CHUNK_ROWS", 3)
    parents = [new_sid() for _ in range(3)]
    legs = [twilio_leg(parents[n % 3], new_sid()) for n in range(7)]
    assert "waiting 7" in import_text(tmp_path, page(*legs))
    text = page(*(twilio_call(sid=parent) for parent in parents))
    dry = import_text(tmp_path, text, "--dry-run")
    printed = import_text(tmp_path, text)
    assert dry.splitlines()[:2] == printed.splitlines()[:2]
    assert "recorded 7, unchanged 0" in printed
    with tenant(line.pk):
        assert CallLeg.objects.count() == 7
