"""Rows of one call: the same in one file or in several, in any order."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from calls.models import Call
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.call_files import (
    GARAGE,
    import_text,
    lines,
    new_sid,
    own_call,
    page,
    rejected,
    the_call,
    twilio_call,
)


def states(sid: str) -> list[dict[str, Any]]:
    """One call as four files would have it in its course."""
    return [
        twilio_call(sid=sid, status="queued", start_time=None, duration=None, **{"from": ""}),
        twilio_call(sid=sid, status="in-progress", duration="0"),
        own_call(call_sid=sid, duration=15, provider_status="completed", metadata={"n": 1}),
        own_call(
            call_sid=sid,
            duration=0,
            provider_status="completed",
            transcript="Hello.",
            ai_summary="Said hello.",
            ai_confidence=0.55,
            tags=["greeting"],
        ),
    ]


def result(sid: str) -> tuple[Any, ...]:
    call = the_call(sid)
    with all_tenants("test"):
        extras = call.metadata.metadata, call.metadata.tags
        Call.objects.filter(call_sid=sid).delete()
    return (
        call.status, call.provider_status, call.duration, call.created_at, call.caller_number,
        call.transcript, call.ai_summary, call.ai_confidence, *extras,
    )  # fmt: skip


def test_import_of_rows_of_one_call_in_any_order(line: PhoneNumber, tmp_path: Path) -> None:
    sid = new_sid()
    results = set()
    for rows in itertools.permutations(states(sid)):
        import_text(tmp_path, lines(*rows))
        assert rejected(tmp_path) == []
        results.add(repr(result(sid)))
        for row in rows:
            import_text(tmp_path, lines(row))
        results.add(repr(result(sid)))
    [found] = results
    assert "'completed', 'completed', 15" in found
    assert "'+14155559999', 'Hello.', 'Said hello.'" in found


def test_import_counts_the_rows_of_one_call(line: PhoneNumber, tmp_path: Path) -> None:
    first = twilio_call(status="ringing", duration="0")
    text = page(first, twilio_call(), {**first, "status": "completed", "duration": "15"}, first)
    printed = import_text(tmp_path, text)
    assert "read 4, loaded 2, updated 1, unchanged 1, rejected 0" in printed
    assert "2 of them are of a call with an earlier row in the file" in printed
    assert (the_call(first["sid"]).status, the_call(first["sid"]).duration) == ("completed", 15)


def test_import_merges_rows_of_one_call_over_chunks(
    line: PhoneNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls.intake.imports.chunks.CHUNK_ROWS", 3)
    calls = [twilio_call(status="ringing") for _ in range(10)]
    again = [{**call, "status": "completed"} for call in (calls[0], calls[9])]
    text = page(*calls, *again, twilio_call())
    dry = import_text(tmp_path, text, "--dry-run")
    assert "read 13, loaded 11, updated 0, unchanged 2, rejected 0" in dry
    printed = import_text(tmp_path, text)
    assert "read 13, loaded 11, updated 2, unchanged 0, rejected 0" in printed
    assert [the_call(call["sid"]).status for call in (calls[0], calls[9])] == ["completed"] * 2


def test_import_gives_a_call_to_one_line(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    first = twilio_call()
    printed = import_text(tmp_path, page(first, {**first, "to": GARAGE}))
    assert "read 2, loaded 1, updated 0, unchanged 0, rejected 1" in printed
    [row] = rejected(tmp_path)
    assert (row["row"], row["call_sid"]) == ("2", first["sid"])
    assert "belongs to another line" in row["reason"]
