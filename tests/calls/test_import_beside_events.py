"""An import and a callback of the same call at the same moment, and the dry run."""

import threading
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from calls.intake.imports.rows import Row
from calls.intake.imports.upsert import load
from calls.intake.models import EventKind
from calls.intake.pipeline import deliver
from calls.intake.webhooks.inbox import classify, store
from calls.intake.webhooks.signers import Signer
from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.call_files import (
    BAKERY,
    GARAGE,
    everything,
    import_text,
    lines,
    own_call,
    page,
    rejected,
    the_call,
    the_metadata,
    twilio_call,
)
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event
from tests.factories import hold, make_call, make_line
from tests.outages import WAITS_FOR_US


def in_a_thread(work: list[str], directory: Path, text: str) -> threading.Thread:
    def run() -> None:
        try:
            work.append(import_text(directory, text))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("is_same_line", [True, False])
@pytest.mark.usefixtures("committed")
def test_import_waits_for_an_event_that_makes_the_call(tmp_path: Path, is_same_line: bool) -> None:
    line, other_line = make_line(number=BAKERY), make_line(number=GARAGE)
    sid = new_sid()
    call = own_call(
        call_sid=sid,
        transcript="Hello.",
        ai_summary="Said hello.",
        ai_confidence=0.55,
        metadata={"intent": "greeting"},
        tags=["greeting"],
    )
    made_by = line if is_same_line else other_line
    event = classify(
        EventKind.VOICE,
        voice_event(sid, "ringing", To=made_by.number),
        Signer(made_by.pk, [TOKEN]),
        received_at=timezone.now(),
    )
    printed: list[str] = []
    with transaction.atomic():
        store(event)
        thread = in_a_thread(printed, tmp_path, lines(call, own_call()))
        with connection.cursor() as cursor:
            while not cursor.execute(WAITS_FOR_US).fetchone():
                assert thread.is_alive()
    thread.join()
    if not is_same_line:
        assert "loaded 1, updated 0, unchanged 0, rejected 1" in printed[0]
        assert "belongs to another line" in rejected(tmp_path)[0]["reason"]
        return
    assert "read 2, loaded 1, updated 1, unchanged 0, rejected 0" in printed[0]
    loaded, metadata = the_call(sid), the_metadata(sid)
    assert (loaded.status, loaded.duration) == ("completed", 15)
    assert (loaded.transcript, loaded.ai_summary) == ("Hello.", "Said hello.")
    assert str(loaded.ai_confidence) == "0.55"
    assert metadata is not None
    assert (metadata.metadata, metadata.tags) == ({"intent": "greeting"}, ["greeting"])


@pytest.mark.usefixtures("committed")
def test_a_claim_during_an_import_of_the_call_is_the_imported_call() -> None:
    """Neither sees the other's row; a claim of another line does not wait."""
    line, other_line = make_line(number=BAKERY), make_line(number=GARAGE)
    sid = new_sid()
    row = Row(
        row=1, phone_id=line.pk, caller_number="+14155559999", call_sid=sid, status="completed",
        provider_status="completed", duration=15, recording_url=None, transcript=None,
        ai_summary=None, ai_confidence=None, created_at="2024-01-01T00:00:00Z", metadata=None,
        tags=None, custom_fields=None,
    )  # fmt: skip

    def claim(phone_id: str) -> None:
        try:
            with tenant(phone_id):
                deliver(call_sid=sid, transcript="Claimed.")
        finally:
            connection.close()

    waiting = threading.Thread(target=claim, args=[line.pk])
    with all_tenants("test"), transaction.atomic():
        load([row])
        waiting.start()
        with connection.cursor() as cursor:
            while not cursor.execute(WAITS_FOR_US).fetchone():
                assert waiting.is_alive()
        other = threading.Thread(target=claim, args=[other_line.pk])
        other.start()
        other.join()
    waiting.join()
    with tenant(line.pk):
        call = Call.objects.get()
        assert (call.call_sid, call.status, call.transcript) == (sid, "completed", "Claimed.")
    with tenant(other_line.pk):
        assert Call.objects.get().call_sid != sid


def test_import_fills_metadata_column_by_column(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(line, metadata={"tags": ["first"]})
    file = own_call(call_sid=call.call_sid, tags=["second"], custom_fields={"order": 7})
    assert "updated 1" in import_text(tmp_path, lines(file))
    metadata = the_metadata(call.call_sid)
    assert metadata is not None
    assert (metadata.tags, metadata.custom_fields) == (["first"], {"order": 7})
    assert "unchanged 1" in import_text(tmp_path, lines(file))


def test_import_fills_a_held_call_and_changes_nothing_of_it(
    line: PhoneNumber, tmp_path: Path
) -> None:
    call = make_call(
        line,
        legal_hold=True,
        caller_number="anonymous",
        status="answered",
        metadata={"tags": ["first"]},
    )
    file = own_call(call_sid=call.call_sid, metadata={"n": 1}, transcript="Hello.")
    assert "updated 1" in import_text(tmp_path, lines(file))
    held, metadata = the_call(call.call_sid), the_metadata(call.call_sid)
    assert (held.status, held.transcript, held.caller_number) == (
        "completed",
        "Hello.",
        "anonymous",
    )
    assert metadata is not None
    assert (metadata.tags, metadata.metadata) == (["first"], {})


@pytest.mark.parametrize("road", ["file", "callback"])
def test_a_held_claim_is_confirmed(
    line: PhoneNumber, tmp_path: Path, settings: Settings, road: str
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    sid = new_sid()
    with tenant(line.pk):
        deliver(call_sid=sid, transcript="Claimed.")
        claimed = Call.objects.get()
    hold(claimed)
    if road == "file":
        import_text(tmp_path, lines(own_call(call_sid=sid, transcript="Of the file.")))
    else:
        assert post(voice_event(sid, "completed", CallDuration="5")).status_code == 204
    with tenant(line.pk):
        call = Call.objects.get()
    assert (call.pk, call.call_sid, call.status) == (claimed.pk, sid, "completed")
    assert (call.transcript, call.legal_hold) == ("Claimed.", True)


WRITTEN = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables
"""
LOCKS = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"


def test_import_dry_run_writes_and_locks_nothing(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    ringing, done, theirs = (
        make_call(line, status="ringing", duration=0),
        make_call(line, duration=15, caller_number="+14155559999", metadata={"tags": ["a"]}),
        make_call(other_line),
    )
    claimed = new_sid()
    text = lines(
        own_call(
            call_sid=new_sid(),
            transcript="Hello.",
            tags=["new"],
            metadata={"n": 1},
            ai_confidence=0.5,
        ),
        own_call(call_sid=ringing.call_sid),
        own_call(call_sid=done.call_sid, created_at=done.created_at.isoformat(), tags=["b"]),
        own_call(call_sid=theirs.call_sid),
        own_call(call_sid=new_sid(), status="exploded"),
        own_call(call_sid=claimed),
        twilio_call(
            sid=new_sid(),
            **{"direction": "outbound-api", "from": line.number, "to": "+14155559999"},
        ),
    )
    with tenant(line.pk):
        deliver(call_sid=claimed, transcript="Claimed.")
    before = everything()
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(f"{WRITTEN} UNION ALL {LOCKS}")
        was = cursor.fetchall()
    dry = import_text(tmp_path, text, "--dry-run")
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(f"{WRITTEN} UNION ALL {LOCKS}")
        assert cursor.fetchall() == was
        cursor.execute("SELECT to_regclass('pg_temp.incoming_calls')")
        assert cursor.fetchone() == (None,)
    assert everything() == before
    # The very counts of the import itself.
    assert "read 7, loaded 2, updated 2, unchanged 1, rejected 2" in dry
    assert dry.splitlines()[0] == import_text(tmp_path, text).splitlines()[0]
    assert "unchanged 5, rejected 2" in import_text(tmp_path, text, "--dry-run")
    with all_tenants("test"):
        assert Call.objects.count() == 6
    assert "loaded 1" in import_text(tmp_path, page(twilio_call(sid=new_sid())), "--dry-run")
