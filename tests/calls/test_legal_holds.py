"""A call under legal hold: what nobody can do to it, and what still happens to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)
from django.test import Client
from pytest_django import Settings

from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from calls.holds.placing import place, release
from calls.legs import legs_of
from calls.models import Call, CallArchive, CallMetadata, CallRecording, LegalHold
from calls.recordings import recordings_of
from tenancy import all_tenants, no_tenant, tenant
from tenants.models import PhoneNumber
from tests.admin_client import pick
from tests.api_client import api_of
from tests.calls.archive import query, wait_for_a_waiting_writer
from tests.calls.intake.callbacks import (
    RECORDING,
    RECORDING_URL,
    TOKEN,
    new_sid,
    post,
    recording_event,
    voice_event,
)
from tests.factories import archive, hold, make_call, make_line, release_holds

REFUSED = "under legal hold"
HELD_OR_NO_RIGHT = r"legal hold|legal_hold|hold changes|permission denied"
NOT_STAFF = r"Only staff|permission denied"
WORDS: dict[str, Any] = {
    "transcript": "AI: Hello?",
    "ai_summary": "Said hello.",
    "recording_url": "https://recordings.example/1.mp3",
    "metadata": {"tags": ["vip"], "metadata": {"a": 1}, "custom_fields": {"b": 2}},
}
LONG_AGO = datetime(2023, 6, 15, tzinfo=UTC)
LEG_BEGAN, LEG_ENDED = "Tue, 03 Mar 2026 20:36:30 +0000", "Tue, 03 Mar 2026 20:37:30 +0000"


@pytest.fixture
def held(committed: None) -> Call:
    line = make_line(id="pn_bakery", number="+14155550101")
    return make_call(line, legal_hold=True, **WORDS)


@contextmanager
def acting_as(who: str) -> Iterator[Any]:
    """A cursor of the owner, of staff, or of the line in its scope."""
    scopes: dict[str, Any] = {
        "owner": no_tenant(),  # its own rights
        "staff": all_tenants("test"),
        "line": tenant("pn_bakery"),
    }
    alias = "owner" if who == "owner" else "default"
    with scopes[who], transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        yield cursor


@pytest.mark.parametrize("who", ["owner", "staff", "line"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM calls",
        "DELETE FROM call_metadata",
        "DELETE FROM phone_numbers",
        "UPDATE calls SET transcript = NULL",
        "UPDATE calls SET ai_summary = 'Said nothing.'",
        "UPDATE calls SET recording_url = 'https://recordings.example/2.mp3'",
        "UPDATE calls SET caller_number = '+14155550000'",
        "UPDATE calls SET call_sid = 'another'",
        "UPDATE calls SET id = gen_random_uuid()",
        "UPDATE calls SET legal_hold = false",
        "UPDATE calls SET legal_hold = false, transcript = NULL",
        "UPDATE call_metadata SET metadata = '{}'",
        "UPDATE call_metadata SET tags = '{}'",
        "UPDATE call_metadata SET custom_fields = '{}'",
        "DELETE FROM legal_holds",
        "UPDATE legal_holds SET released_at = now()",
        "UPDATE legal_holds SET released_at = now(), released_by = '', release_reason = ''",
        "UPDATE legal_holds SET reason = 'another'",
        "SELECT set_config('app.archiving', 'on', true); DELETE FROM calls",
        "WITH m AS (DELETE FROM call_metadata), c AS (DELETE FROM calls RETURNING *)"
        " SELECT * FROM c",
    ],
)
def test_no_login_changes_a_held_call(held: Call, who: str, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match=HELD_OR_NO_RIGHT),
        acting_as(who) as cursor,
    ):
        cursor.execute(statement)
    with all_tenants("test"):
        kept = Call.objects.select_related("metadata").get()
        assert kept.legal_hold
        assert kept.transcript == WORDS["transcript"]
        assert kept.metadata.tags == ["vip"]
        assert LegalHold.objects.in_force().count() == 1


@pytest.mark.parametrize(
    "table", ["calls CASCADE", "call_metadata", "phone_numbers CASCADE", "legal_holds"]
)
def test_the_owner_empties_no_table_of_held_calls(held: Call, table: str) -> None:
    with pytest.raises(IntegrityError, match=REFUSED), acting_as("owner") as cursor:
        cursor.execute(f"TRUNCATE {table}")


@pytest.mark.parametrize("who", ["owner", "line"])
def test_only_staff_place_and_release(held: Call, who: str) -> None:
    for statement in (
        "INSERT INTO legal_holds (phone_id, call_id, reason, case_reference, placed_by)"
        " SELECT phone_id, id, 'r', 'c', 'p' FROM calls",
        "UPDATE legal_holds SET released_by = 'me', release_reason = 'over'",
    ):
        with pytest.raises(ProgrammingError, match=NOT_STAFF), acting_as(who) as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize(
    "reasons", [{"reason": " "}, {"case_reference": ""}, {"placed_by": "\t"}, {"phone_id": "pn_2"}]
)
def test_a_hold_says_why(line: PhoneNumber, reasons: dict[str, str]) -> None:
    make_line(id="pn_2")
    call = make_call(line)
    columns = {"phone_id": line.pk, "reason": "r", "case_reference": "c", "placed_by": "p"}
    with all_tenants("test"), pytest.raises(IntegrityError), transaction.atomic():
        LegalHold.objects.create(call_id=call.pk, **columns | reasons)
    with all_tenants("test"):
        assert not Call.objects.get().legal_hold


def test_a_release_is_final_and_the_database_writes_the_times(line: PhoneNumber) -> None:
    call = make_call(line)
    with all_tenants("test"):
        LegalHold.objects.create(
            phone=line,
            call_id=call.pk,
            reason="r",
            case_reference="c",
            placed_by="p",
            placed_at=LONG_AGO,
            released_by="p",
        )
        placed = LegalHold.objects.get()
        assert placed.placed_at > LONG_AGO
        assert (placed.released_by, placed.released_at) == (None, None)
        release_holds()
        assert LegalHold.objects.get().released_at is not None
        with pytest.raises(IntegrityError, match="changes once"), transaction.atomic():
            LegalHold.objects.update(released_at=None, released_by=None, release_reason=None)


def test_a_call_is_held_until_its_last_case_is_over(line: PhoneNumber) -> None:
    call, other = make_call(line), make_call(line)
    with tenant(line.pk):
        assert place([call.pk, other.pk], case="A", reason="r", by="p") == 2
        assert place([call.pk], case="A", reason="r", by="p") == 0
        assert place([call.pk], case="B", reason="r", by="p") == 1
        assert release([call.pk, other.pk], case="B", reason="over", by="p") == 1
        assert Call.objects.get(pk=call.pk).legal_hold
        assert release([call.pk], case="A", reason="over", by="p") == 1
        assert not Call.objects.get(pk=call.pk).legal_hold
        assert Call.objects.get(pk=other.pk).legal_hold


def test_a_line_holds_its_own_calls_alone(line: PhoneNumber, other_line: PhoneNumber) -> None:
    call = make_call(other_line)
    with tenant(line.pk):
        assert place([call.pk], case="A", reason="r", by="p") == 0
    hold(call, case="A")
    with tenant(line.pk):
        assert release([call.pk], case="A", reason="r", by="p") == 0
        assert not LegalHold.objects.exists()


def test_a_released_call_is_deleted_with_its_line(line: PhoneNumber) -> None:
    make_call(line, legal_hold=True, **WORDS)
    with all_tenants("test"):
        with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
            PhoneNumber.objects.filter(pk=line.pk).delete()
        release_holds()
        with pytest.raises(IntegrityError, match="not deleted"), transaction.atomic():
            LegalHold.objects.all().delete()
        PhoneNumber.objects.filter(pk=line.pk).delete()
        assert not LegalHold.objects.exists()
        assert not Call.objects.exists()


@pytest.mark.parametrize("who", ["owner", "staff", "line"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM calls_archive",
        "DELETE FROM calls_archive_2023_06",
        "DELETE FROM phone_numbers",
        "UPDATE calls_archive SET transcript = NULL",
        "UPDATE calls_archive SET duration = 0",
        "UPDATE calls_archive SET metadata = '{}'",
        "UPDATE calls_archive SET created_at = created_at + interval '1 day'",
        "UPDATE calls_archive SET legal_hold = false",
        "SELECT app.drop_archive_partition('2023-06-01', 1, 0)",
        # Half a restore: a live copy that lacks the words.
        "DELETE FROM app.archived_call_sids; INSERT INTO calls"
        " (id, phone_id, caller_number, call_sid, status, legal_hold)"
        " SELECT id, phone_id, caller_number, call_sid, status, true FROM calls_archive;"
        " DELETE FROM calls_archive",
    ],
)
def test_no_login_changes_a_held_call_of_the_archive(
    committed: None, who: str, statement: str
) -> None:
    line = make_line(id="pn_bakery")
    call = make_call(line, created_at=LONG_AGO, **WORDS)
    archive_calls(cut_off=datetime(2024, 1, 1, tzinfo=UTC), started_by="test")
    hold(call)
    with pytest.raises(DatabaseError, match=HELD_OR_NO_RIGHT), acting_as(who) as cursor:
        cursor.execute(statement)
    with all_tenants("test"):
        kept = CallArchive.objects.get()
        assert (kept.legal_hold, kept.transcript) == (True, WORDS["transcript"])


@pytest.mark.parametrize("table", ["calls_archive", "calls_archive_2023_06"])
def test_the_owner_empties_no_month_of_held_calls(committed: None, table: str) -> None:
    call = make_call(make_line(), created_at=LONG_AGO)
    archive(call)
    hold(call)
    with pytest.raises(IntegrityError, match=REFUSED), acting_as("owner") as cursor:
        cursor.execute(f"TRUNCATE {table}")


def test_a_held_call_of_the_archive_is_released_and_restored(
    line: PhoneNumber, full_batches: None
) -> None:
    call = make_call(line, created_at=LONG_AGO, **WORDS)
    archive_calls(cut_off=datetime(2024, 1, 1, tzinfo=UTC), started_by="test")
    hold(call)
    run = restore_calls(Choice(call_sid=call.call_sid), started_by="test")
    assert run.calls == 1
    with all_tenants("test"):
        restored = Call.objects.select_related("metadata").get()
        assert (restored.legal_hold, restored.transcript) == (True, WORDS["transcript"])
        assert restored.metadata.tags == ["vip"]
        assert not CallArchive.objects.exists()
        with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
            Call.objects.all().delete()
        release_holds()
        assert not Call.objects.get().legal_hold


def test_a_hold_waits_for_the_archiver_and_finds_the_call(committed: None) -> None:
    call = make_call(make_line(), created_at=LONG_AGO)
    query("SELECT app.create_archive_partitions(%s, %s)", [LONG_AGO, LONG_AGO])
    moving = threading.Event()

    def hold_it() -> None:
        moving.wait()
        hold(call)
        connections.close_all()

    holder = threading.Thread(target=hold_it)
    holder.start()
    with all_tenants("test"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.archiving', 'on', true)")
        cursor.execute(
            "WITH moved AS (DELETE FROM calls RETURNING *)"
            " INSERT INTO calls_archive SELECT * FROM moved"
        )
        moving.set()
        wait_for_a_waiting_writer()
    holder.join()
    with all_tenants("test"):
        assert CallArchive.objects.get().legal_hold


def test_a_change_of_metadata_under_way_is_over_when_the_hold_stands(committed: None) -> None:
    call = make_call(make_line(), **WORDS)
    changed = threading.Event()

    def hold_it() -> None:
        changed.wait()
        hold(call)
        connections.close_all()

    holder = threading.Thread(target=hold_it)
    holder.start()
    with all_tenants("test"), transaction.atomic():
        CallMetadata.objects.update(tags=["old"])
        changed.set()
        wait_for_a_waiting_writer()
        assert not Call.objects.get().legal_hold
    holder.join()
    with all_tenants("test"), pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        CallMetadata.objects.update(tags=["new"])


def test_two_releases_at_once_leave_no_call_held(committed: None) -> None:
    call = make_call(make_line())
    for case in ("A", "B"):
        hold(call, case=case)
    released = threading.Event()

    def release_the_other() -> None:
        released.wait()
        with all_tenants("test"):
            release([call.pk], case="B", reason="over", by="p")
        connections.close_all()

    other = threading.Thread(target=release_the_other)
    other.start()
    with all_tenants("test"), transaction.atomic():
        release([call.pk], case="A", reason="over", by="p")
        released.set()
        wait_for_a_waiting_writer()
    other.join()
    with all_tenants("test"):
        assert not Call.objects.get().legal_hold


def test_the_provider_still_reports_a_held_call(line: PhoneNumber, settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    sid = new_sid()
    assert post(voice_event(sid, "ringing")).status_code == 204
    with all_tenants("test"):
        hold(Call.objects.get())
    assert post(voice_event(sid, "completed", CallDuration="61")).status_code == 204
    assert post(recording_event(sid, "completed"), path=RECORDING).status_code == 204
    another = recording_event(
        sid, "completed", RecordingSid="RE" + "b" * 32, RecordingUrl=RECORDING_URL[:-1] + "b"
    )
    assert post(another, path=RECORDING).status_code == 204
    with all_tenants("test"):
        call = Call.objects.get()
        assert (call.status, call.duration, call.recording_url) == ("completed", 61, RECORDING_URL)
        assert CallRecording.objects.count() == 2


PARTS = """
INSERT INTO call_legs (phone_id, call_sid, leg_sid, "to", status, started_at)
SELECT phone_id, call_sid, 'CAleg', '+14155550111', 'ringing', created_at FROM calls;
INSERT INTO call_recordings (phone_id, call_sid, recording_sid, url, state, duration)
SELECT phone_id, call_sid, 'RE1', 'https://recordings.example/2.mp3', 'completed', 5 FROM calls
"""


@pytest.mark.parametrize("who", ["owner", "staff", "line"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM call_legs",
        "DELETE FROM call_recordings",
        "UPDATE call_legs SET \"to\" = '+14155550000'",
        "UPDATE call_legs SET call_sid = 'another'",
        "UPDATE call_legs SET started_at = started_at - interval '1 hour'",
        "UPDATE call_legs SET status = 'queued'",
        "UPDATE call_recordings SET url = NULL",
        "UPDATE call_recordings SET call_sid = 'another'",
        "UPDATE call_recordings SET duration = 1",
        "UPDATE call_recordings SET state = 'absent'",
    ],
)
def test_no_login_changes_legs_and_recordings_of_a_held_call(
    committed: None, who: str, statement: str
) -> None:
    call = make_call(make_line(id="pn_bakery"))
    query(PARTS)
    hold(call)
    with pytest.raises(DatabaseError, match=HELD_OR_NO_RIGHT), acting_as(who) as cursor:
        cursor.execute(statement)
    query("UPDATE call_legs SET status = 'completed', duration = 5")


@pytest.fixture
def held_in_archive(line: PhoneNumber, full_batches: None) -> Call:
    """With PARTS."""
    call = make_call(line, created_at=LONG_AGO, **WORDS)
    query(PARTS)
    archive_calls(cut_off=datetime(2024, 1, 1, tzinfo=UTC), started_by="test")
    hold(call)
    return call


@pytest.mark.parametrize(
    "change",
    [
        "legs = '[]'",
        "legs = legs || legs",
        "legs = jsonb_set(legs, '{0,to}', 'null')",
        "legs = jsonb_set(legs, '{0,status}', '\"queued\"')",
        "legs = jsonb_set(legs, '{0,started_at}', '\"2020-01-01\"')",
        "recordings = '[]'",
        "recordings = recordings || jsonb_set(recordings, '{0,url}', 'null')",
        "recordings = jsonb_set(recordings, '{0,url}', '\"https://evil.example/1.mp3\"')",
        "recordings = jsonb_set(recordings, '{0,duration}', '1')",
        "recordings = jsonb_set(recordings, '{0,state}', '\"absent\"')",
        # The address goes to another recording.
        "recordings = jsonb_build_array(recordings->0 || '{\"url\": null}',"
        ' recordings->0 || \'{"recording_sid": "RE2"}\')',
    ],
)
def test_an_archived_call_keeps_its_legs_and_recordings(
    held_in_archive: Call, change: str
) -> None:
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        query(f"UPDATE calls_archive SET {change}")
    restored = restore_calls(Choice(call_sid=held_in_archive.call_sid), started_by="test")
    assert restored.calls == 1
    assert query("SELECT count(*) FROM call_legs, call_recordings") == [(1,)]


def test_what_was_not_known_of_a_held_leg_of_the_archive_is_filled_in(
    held_in_archive: Call,
) -> None:
    leg = '\'{"status": "busy", "duration": 7}\''
    query(f"UPDATE calls_archive SET legs = jsonb_build_array(legs->0 || {leg})")
    assert query("SELECT legs->0->>'status', legs->0->>'duration' FROM calls_archive") == [
        ("busy", "7")
    ]


FORGED_RESTORE = """
SELECT set_config('app.archiving', 'on', true);
DELETE FROM app.archived_call_sids;
INSERT INTO calls (id, phone_id, caller_number, call_sid, status, duration, recording_url,
        transcript, ai_summary, created_at, updated_at, provider_status, legal_hold, ai_confidence)
    SELECT id, phone_id, caller_number, call_sid, status, {duration}, recording_url, transcript,
        ai_summary, created_at, updated_at, provider_status, legal_hold, ai_confidence
    FROM calls_archive;
INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields, created_at)
    SELECT id, phone_id, metadata, tags, custom_fields, metadata_created_at FROM calls_archive;
INSERT INTO call_legs (phone_id, call_sid, leg_sid, "to", status, started_at)
    SELECT phone_id, call_sid, 'CAleg', {to}, 'ringing', created_at FROM calls;
INSERT INTO call_recordings (phone_id, call_sid, recording_sid, url, state, duration)
    SELECT phone_id, call_sid, '{recording}', 'https://recordings.example/2.mp3', 'completed', 5
    FROM calls;
DELETE FROM calls_archive
"""
TRUE_VALUES = {"duration": "duration", "to": "'+14155550111'", "recording": "RE1"}


def test_another_time_zone_is_no_change_of_a_held_call(held_in_archive: Call) -> None:
    """The same moment, as a session in that zone writes it."""
    query("SET LOCAL timezone = 'Asia/Tokyo'")
    query(
        "UPDATE calls_archive SET legs = jsonb_build_array(legs->0 ||"
        " jsonb_build_object('started_at', created_at))"
    )
    query("SET LOCAL timezone = 'UTC'")
    assert "+09:00" in query("SELECT legs::text FROM calls_archive")[0][0]
    query(FORGED_RESTORE.format(**TRUE_VALUES))
    with all_tenants("test"):
        assert Call.objects.get().legal_hold


@pytest.mark.parametrize(
    "forged", [{"duration": "1"}, {"to": "'+19990000000'"}, {"to": "NULL"}, {"recording": "RE2"}]
)
def test_a_forged_copy_does_not_replace_a_held_call_of_the_archive(
    held_in_archive: Call, forged: dict[str, str]
) -> None:
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        query(FORGED_RESTORE.format(**TRUE_VALUES | forged))
    query(FORGED_RESTORE.format(**TRUE_VALUES))  # nothing forged: what restore_calls does
    with all_tenants("test"):
        assert Call.objects.get().legal_hold
        assert not CallArchive.objects.exists()


def test_late_events_add_to_a_held_call_of_the_archive(
    line: PhoneNumber, settings: Settings
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    sid = new_sid()
    post(voice_event(sid, "completed"))
    with all_tenants("test"):
        call = Call.objects.get()
    archive(call)
    hold(call)
    for last in "ab":
        event = recording_event(
            sid,
            "completed",
            RecordingSid="RE" + last * 32,
            RecordingUrl=RECORDING_URL[:-32] + last * 32,
        )
        assert post(event, path=RECORDING).status_code == 204
    with all_tenants("test"):
        kept = CallArchive.objects.get()
    assert kept.recording_url == RECORDING_URL
    assert [one["recording_sid"] for one in kept.recordings] == ["RE" + "a" * 32, "RE" + "b" * 32]


@pytest.mark.parametrize("is_archived", [False, True])
def test_late_events_fill_in_legs_and_recordings_of_a_held_call(
    line: PhoneNumber, settings: Settings, is_archived: bool
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    sid, leg = new_sid(), new_sid()
    of_leg = {"ParentCallSid": sid, "Direction": "outbound-dial", "To": "+14155557777"}
    post(voice_event(sid, "completed"))
    post(voice_event(leg, "in-progress", **of_leg, Timestamp=LEG_BEGAN))
    post(recording_event(sid, "in-progress", RecordingDuration=None), path=RECORDING)
    with all_tenants("test"):
        call = Call.objects.get()
    if is_archived:
        archive(call)
    hold(call)
    # The second of each differs from the first, and the third is behind.
    for word, seconds in (("completed", "40"), ("completed", "50"), ("ringing", "60")):
        event = voice_event(leg, word, **of_leg, CallDuration=seconds, Timestamp=LEG_ENDED)
        assert post(event).status_code == 204
    for word, seconds in (("completed", "30"), ("completed", "35"), ("in-progress", "36")):
        event = recording_event(sid, word, RecordingDuration=seconds)
        assert post(event, path=RECORDING).status_code == 204
    with all_tenants("test"):
        kept: Any = (CallArchive if is_archived else Call).objects.get()
        [one_leg], [recording] = legs_of(kept), recordings_of(kept)
    assert (one_leg.status, one_leg.duration) == ("completed", 40)
    assert (recording.state, recording.duration) == ("completed", 30)
    assert kept.recording_url == RECORDING_URL


def test_the_pipeline_adds_what_was_not_known_and_replaces_nothing(line: PhoneNumber) -> None:
    call = make_call(line, legal_hold=True)
    with all_tenants("test"):
        key = api_of(line, "ingest").client
    words = {"transcript": "AI: Hello?", "tags": ["vip"]}
    path = f"/api/v1/calls/by-sid/{call.call_sid}/"
    send: dict[str, Any] = {"content_type": "application/json"}
    assert key.put(path, words, **send).status_code == 200
    assert key.put(path, words, **send).status_code == 200
    refused = key.put(path, {"transcript": "AI: Goodbye."}, **send)
    assert (refused.status_code, refused["Content-Type"]) == (409, "application/problem+json")
    assert REFUSED in refused.json()["detail"]
    assert key.put(path, {"tags": ["other"]}, **send).status_code == 409


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("", {"ai_summary": "Said nothing."}),
        ("metadata/", {"tags": {"add": ["new"]}}),
        ("metadata/", {"metadata": {"a": None}}),
    ],
)
def test_the_api_gives_the_reason(line: PhoneNumber, path: str, change: dict[str, Any]) -> None:
    call = make_call(line, legal_hold=True, **WORDS)
    refused = api_of(line).patch(f"/calls/{call.pk}/{path}", change)
    assert (refused.status_code, refused["Content-Type"]) == (409, "application/problem+json")
    assert REFUSED in refused.json()["detail"]


def test_the_api_deletes_no_call(line: PhoneNumber) -> None:
    call = make_call(line, legal_hold=True)
    assert api_of(line).delete(f"/calls/{call.pk}/").status_code == 405


@pytest.mark.parametrize("archived", [False, True])
def test_each_hold_and_release_is_in_the_history_of_its_call(
    back_office: Client, line: PhoneNumber, archived: bool
) -> None:
    calls = [make_call(line, created_at=LONG_AGO) for _ in range(2)]
    if archived:
        for call in calls:
            archive(call)
    name = "callarchive" if archived else "call"
    pick(back_office, line)
    for action, reason in (("hold", "a court"), ("release", "settled")):
        response: Any = back_office.post(
            f"/admin/calls/{name}/",
            {
                "_selected_action": [str(call.pk) for call in calls],
                "action": action,
                "post": "yes",
                "case": "2026/17",
                "reason": reason,
            },
        )
        assert "2 " in back_office.get(response.url).content.decode()
    for call in calls:
        for page in ("history", "change"):
            shown = back_office.get(f"/admin/calls/{name}/{call.pk}/{page}/").content.decode()
            assert "Case 2026/17: a court" in shown
            assert "placed by root" in shown
            assert "released by root" in shown
            assert "settled" in shown


@pytest.mark.parametrize("missing", ["case", "reason"])
def test_the_form_asks_for_case_and_reason(
    back_office: Client, line: PhoneNumber, missing: str
) -> None:
    call = make_call(line)
    sent = {"case": "c", "reason": "r"} | {missing: " "}
    page = back_office.post(
        "/admin/calls/call/",
        {"_selected_action": [str(call.pk)], "action": "hold", "post": "yes", **sent},
    )
    assert "This field is required." in page.content.decode()
    with all_tenants("test"):
        assert not LegalHold.objects.exists()


def test_the_admin_changes_nothing_of_a_held_call(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line, legal_hold=True, **WORDS)
    tags = {"_selected_action": [str(call.pk)], "post": "yes", "tag": "vip"}
    for action in ("add_tag", "remove_tag"):
        back_office.post("/admin/calls/call/", tags | {"action": action, "tag": "new"})
        back_office.post("/admin/calls/call/", tags | {"action": action})
    deletion = f"/admin/calls/callmetadata/{call.pk}/delete/"
    assert "of a call under legal hold" in back_office.get(deletion).content.decode()
    back_office.post(deletion, {"post": "yes"})
    back_office.post(
        "/admin/calls/callmetadata/",
        {"_selected_action": [str(call.pk)], "action": "delete_selected", "post": "yes"},
    )
    with all_tenants("test"):
        assert CallMetadata.objects.get().tags == ["vip"]


def test_a_hold_that_comes_first_is_an_error_of_the_form(
    back_office: Client, line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked before the hold was placed."""
    monkeypatch.setattr("backoffice.deletion.legal_holds", lambda *_: [])
    monkeypatch.setattr("backoffice.modeladmin.legal_holds", lambda *_: [])
    call = make_call(line, legal_hold=True, **WORDS)
    one = back_office.post(f"/admin/calls/call/{call.pk}/delete/", {"post": "yes"}, follow=True)
    assert REFUSED in one.content.decode()
    many = back_office.post(
        "/admin/calls/call/",
        {"_selected_action": [str(call.pk)], "action": "delete_selected", "post": "yes"},
        follow=True,
    )
    assert REFUSED in many.content.decode()
    with all_tenants("test"):
        assert Call.objects.filter(pk=call.pk).exists()


def test_the_provider_confirms_the_sid_of_a_held_call(
    line: PhoneNumber, settings: Settings
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    sid = new_sid()
    api = api_of(line, "ingest")
    assert api.put(f"/calls/by-sid/{sid}/", {"transcript": "AI: Hello?"}).status_code == 201
    with all_tenants("test"):
        hold(Call.objects.get())
    assert post(voice_event(sid, "completed")).status_code == 204
    with all_tenants("test"):
        call = Call.objects.get()
    assert (call.call_sid, call.status, call.transcript) == (sid, "completed", "AI: Hello?")
