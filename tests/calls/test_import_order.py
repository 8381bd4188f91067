"""Rows of one call: the same in one file or in several, in any order."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from calls.intake.pipeline import deliver
from calls.models import Call
from tenancy import all_tenants, tenant
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
    the_metadata,
    twilio_call,
)
from tests.calls.intake.callbacks import TOKEN, post, voice_event
from tests.factories import hold


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


def contradictory(sid: str) -> list[dict[str, Any]]:
    """States of one call that say different things of all that a file can say.

    Of the end they name one caller: for two ended rows the first caller stays.
    """
    return [
        own_call(
            call_sid=sid,
            status=status,
            duration=duration,
            caller_number=f"+1415555{number}{number}{number}{number}",
            recording_url=f"https://example.com/{text}",
            transcript=text,
            ai_summary=text,
            ai_confidence=confidence,
            metadata={text: 1},
            tags=[text],
            custom_fields={text: 2},
        )
        for status, duration, number, text, confidence in (
            ("ringing", 0, 1, "first-and-longest", 0.1),
            ("in-progress", 0, 2, "second", 0.2),
            ("completed", 15, 3, "third", 0.3),
            ("completed", 15, 3, "fourth", 0.4),
        )
    ]


@pytest.mark.parametrize("moved_on_after", [None, 1])
def test_the_latest_state_of_a_call_gives_its_values(
    line: PhoneNumber, tmp_path: Path, settings: Settings, moved_on_after: int | None
) -> None:
    """Also when a callback ends the call between two rows."""
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    results = set()
    for rows in itertools.permutations(contradictory(sid := "CA" + "7" * 32)):
        for number, row in enumerate(rows):
            if moved_on_after == number:
                post(voice_event(sid, "completed", From=None))
            import_text(tmp_path, lines(row))
        call = the_call(sid)
        with all_tenants("test"):
            extras = call.metadata.metadata, call.metadata.tags, call.metadata.custom_fields
            call.delete()
        texts = call.caller_number, call.recording_url, call.transcript, call.ai_summary
        results.add(repr((*texts, call.ai_confidence, *extras)))
    [found] = results
    assert found.startswith("('+14155553333', 'https://example.com/fourth', 'fourth', 'fourth'")


@pytest.mark.parametrize("delivered_after", [0, 1, 2, 3])
def test_no_file_replaces_what_a_program_of_the_line_delivered(
    line: PhoneNumber, tmp_path: Path, delivered_after: int
) -> None:
    sid = "CA" + "7" * 32
    for number, row in enumerate([*contradictory(sid)[:3], None]):
        if number == delivered_after:
            with tenant(line.pk):
                deliver(call_sid=sid, transcript="AI.", ai_summary="AI.", ai_confidence=0.9)
        if row is not None:
            import_text(tmp_path, lines(row))
    call = the_call(sid)
    assert (call.transcript, call.ai_summary, str(call.ai_confidence)) == ("AI.", "AI.", "0.90")
    assert (call.caller_number, call.recording_url) == (
        "+14155553333",
        "https://example.com/third",
    )


def test_no_file_replaces_what_is_known_of_a_held_call(line: PhoneNumber, tmp_path: Path) -> None:
    first, *later = contradictory("CA" + "7" * 32)
    import_text(tmp_path, lines(first))
    call = the_call(first["call_sid"])
    hold(call)
    import_text(tmp_path, lines(*later))
    held = the_call(first["call_sid"])
    assert held.status == "completed"
    for name in ("caller_number", "recording_url", "transcript", "ai_summary", "ai_confidence"):
        assert getattr(held, name) == getattr(call, name)
    metadata = the_metadata(first["call_sid"])
    assert metadata is not None
    assert metadata.tags == first["tags"]


def test_a_dry_run_counts_a_later_state(line: PhoneNumber, tmp_path: Path) -> None:
    first, second, *_ = contradictory("CA" + "7" * 32)
    for row, news in ((first, "loaded 1"), (second, "updated 1"), (first, "unchanged 1")):
        for option in (["--dry-run"], []):
            assert news in import_text(tmp_path, lines(row), *option)
