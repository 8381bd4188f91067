"""import_calls on calls that are there already: forward only, and nothing twice."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from calls.models import TIMED_OUT, Call, CallArchive
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.call_files import (
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
from tests.factories import make_call as make_any_call

BEGAN = datetime(2026, 3, 3, 20, 36, 28, tzinfo=UTC)  # before the calls of the files


def make_call(line: PhoneNumber, **fields: Any) -> Call:
    return make_any_call(line, **{"created_at": BEGAN, **fields})


def test_import_twice_changes_nothing(line: PhoneNumber, tmp_path: Path) -> None:
    calls = [own_call(metadata={"n": n}, transcript="Hello.", tags=["a"]) for n in range(5)]
    text = lines(*calls, own_call(status="ringing"), own_call(status="exploded"))
    assert "loaded 6" in import_text(tmp_path, text)
    before = everything()
    printed = import_text(tmp_path, text)
    assert "read 7, loaded 0, updated 0, unchanged 6, rejected 1" in printed
    assert everything() == before


@pytest.mark.parametrize(
    ("before", "word", "after"),
    [
        ("ringing", "in-progress", "answered"),
        ("ringing", "busy", "failed"),
        ("answered", "completed", "completed"),
    ],
)
def test_import_moves_a_call_forward(
    line: PhoneNumber, tmp_path: Path, before: str, word: str, after: str
) -> None:
    call = make_call(line, status=before, duration=0, provider_status=before)
    printed = import_text(tmp_path, page(twilio_call(sid=call.call_sid, status=word)))
    assert "loaded 0, updated 1, unchanged 0" in printed
    moved = the_call(call.call_sid)
    assert (moved.status, moved.provider_status, moved.duration) == (after, word, 15)
    assert (moved.pk, moved.created_at, moved.caller_number) == (
        call.pk,
        call.created_at,
        call.caller_number,
    )


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ("answered", "ringing"),
        ("completed", "queued"),
        ("completed", "in-progress"),
        ("completed", "failed"),
        ("failed", "completed"),
    ],
)
def test_import_never_takes_a_call_back(
    line: PhoneNumber, tmp_path: Path, before: str, word: str
) -> None:
    call = make_call(line, status=before, duration=9, provider_status="kept")
    rows = everything()
    printed = import_text(
        tmp_path, page(twilio_call(sid=call.call_sid, status=word, duration="99"))
    )
    assert "loaded 0, updated 0, unchanged 1, rejected 0" in printed
    assert everything() == rows


def test_import_moves_the_word_of_a_live_call_forward(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(line, status="ringing", provider_status="queued")
    import_text(tmp_path, page(twilio_call(sid=call.call_sid, status="ringing")))
    assert the_call(call.call_sid).provider_status == "ringing"
    text = page(twilio_call(sid=call.call_sid, status="queued"))
    assert "updated 0, unchanged 1" in import_text(tmp_path, text)


@pytest.mark.parametrize(
    ("status", "word", "after"),
    [
        ("failed", "completed", "completed"),
        ("completed", "no-answer", "failed"),
        ("failed", "in-progress", "answered"),
    ],
)
def test_import_overrules_the_end_of_a_call_that_was_timed_out(
    line: PhoneNumber, tmp_path: Path, status: str, word: str, after: str
) -> None:
    call = make_call(line, status=status, provider_status=TIMED_OUT)
    text = page(twilio_call(sid=call.call_sid, status=word))
    assert "updated 1" in import_text(tmp_path, text)
    moved = the_call(call.call_sid)
    assert (moved.status, moved.provider_status) == (after, word)
    assert "updated 0, unchanged 1" in import_text(tmp_path, text)


@pytest.mark.parametrize("before", ["ringing", "answered", "completed", "failed"])
@pytest.mark.parametrize("status", ["ringing", "answered", "completed", "failed"])
def test_import_takes_no_other_time_out_for_news(
    line: PhoneNumber, tmp_path: Path, before: str, status: str
) -> None:
    call = make_call(line, status=before, provider_status=TIMED_OUT, duration=15)
    rows = everything()
    again = own_call(call_sid=call.call_sid, status=status, provider_status=TIMED_OUT)
    assert "updated 0, unchanged 1" in import_text(tmp_path, lines(again))
    assert everything() == rows


def test_import_names_an_unknown_caller(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(line, caller_number="unknown")
    import_text(tmp_path, page(twilio_call(sid=call.call_sid)))
    assert the_call(call.call_sid).caller_number == "+14155559999"


@pytest.mark.parametrize("held", [True, False])
def test_a_caller_that_our_export_does_not_know_replaces_none(
    line: PhoneNumber, tmp_path: Path, held: bool
) -> None:
    for known in ("unknown", "anonymous", "+14155559999"):
        call = make_call(line, caller_number=known, legal_hold=held)
        text = lines(own_call(call_sid=call.call_sid, caller_number="unknown", duration=60))
        import_text(tmp_path, text)
        assert the_call(call.call_sid).caller_number == known


def test_a_held_call_of_our_export_gets_its_caller_later(
    line: PhoneNumber, tmp_path: Path
) -> None:
    call = make_call(line, caller_number="unknown", legal_hold=True)
    for caller in ("unknown", "+14155559999"):
        import_text(tmp_path, lines(own_call(call_sid=call.call_sid, caller_number=caller)))
    assert the_call(call.call_sid).caller_number == "+14155559999"


def test_import_fills_in_what_a_call_lacks(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(line, provider_status=None)
    told: dict[str, Any] = {
        "recording_url": "https://example.com/r/1",
        "transcript": "Hello.",
        "ai_summary": "Said hello.",
        "ai_confidence": 0.55,
        "provider_status": "completed",
        "tags": ["greeting"],
    }
    text = lines(own_call(call_sid=call.call_sid, **told))
    assert "loaded 0, updated 1, unchanged 0" in import_text(tmp_path, text)
    filled = the_call(call.call_sid)
    assert filled.recording_url == told["recording_url"]
    assert (filled.transcript, filled.ai_summary) == ("Hello.", "Said hello.")
    assert filled.ai_confidence == Decimal("0.55")
    assert (filled.provider_status, filled.duration) == ("completed", 60)
    metadata = the_metadata(call.call_sid)
    assert metadata is not None
    assert metadata.tags == ["greeting"]
    assert "updated 0, unchanged 1" in import_text(tmp_path, text)


def test_import_counts_a_call_that_gains_metadata_alone(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(line)
    text = lines(own_call(call_sid=call.call_sid, duration=60, custom_fields={"order": 7}))
    assert "updated 1, unchanged 0" in import_text(tmp_path, text)
    assert the_metadata(call.call_sid) is not None


def test_import_never_overwrites(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(
        line,
        recording_url="https://example.com/first",
        transcript="First.",
        ai_summary="First.",
        ai_confidence="0.70",
        metadata={"tags": ["first"], "metadata": {"first": True}},
    )
    before = everything()
    again = own_call(
        call_sid=call.call_sid,
        caller_number="+14155551111",
        duration=10,
        recording_url="https://example.com/second",
        transcript="Second.",
        ai_summary="Second.",
        ai_confidence=0.1,
        tags=["second"],
        metadata={"second": True},
        created_at="2026-03-04T00:00:00Z",
    )
    assert "updated 0, unchanged 1" in import_text(tmp_path, lines(again))
    assert everything() == before


ARCHIVE = """
SELECT app.create_archive_partitions('2026-03-01', '2026-03-31');
INSERT INTO calls_archive (id, phone_id, caller_number, call_sid, status, created_at)
VALUES (gen_random_uuid(), %s, 'anonymous', %s, 'failed', '2026-03-03 20:36:29+00')
"""


def test_import_leaves_an_archived_call_in_the_archive(line: PhoneNumber, tmp_path: Path) -> None:
    call = twilio_call()
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(ARCHIVE, [line.pk, call["sid"]])
    printed = import_text(tmp_path, page(call, twilio_call()))
    assert "read 2, loaded 1, updated 0, unchanged 1 (1 of them archived)" in printed
    assert rejected(tmp_path) == []
    with all_tenants("test"):
        assert not Call.objects.filter(call_sid=call["sid"]).exists()
        assert CallArchive.objects.get(call_sid=call["sid"]).status == "failed"


def test_import_dry_run_counts_and_changes_nothing(line: PhoneNumber, tmp_path: Path) -> None:
    call = make_call(line, status="ringing")
    before = everything()
    text = page(
        twilio_call(),
        twilio_call(sid=call.call_sid),
        twilio_call(status="exploded"),
    )
    printed = import_text(tmp_path, text, "--dry-run")
    assert "read 3, loaded 1, updated 1, unchanged 0, rejected 1" in printed
    assert "no calls were changed" in printed
    assert everything() == before
    assert len(rejected(tmp_path)) == 1
