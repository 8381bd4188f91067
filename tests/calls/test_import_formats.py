"""What import_calls makes of each kind of file."""

import gzip
import io
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from calls.intake.imports import formats, streams
from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.call_files import (
    BAKERY,
    GARAGE,
    console_csv,
    console_row,
    import_file,
    import_text,
    lines,
    own_call,
    page,
    rejected,
    the_call,
    the_metadata,
    twilio_call,
)
from tests.factories import make_line

BEGAN = datetime(2026, 3, 3, 20, 36, 29, tzinfo=UTC)


def check_the_usual_call(call: Call, line: PhoneNumber) -> None:
    assert call.phone_id == line.pk
    assert call.caller_number == "+14155559999"
    assert (call.status, call.duration, call.created_at) == ("completed", 15, BEGAN)


def test_import_twilio_json(line: PhoneNumber, tmp_path: Path) -> None:
    call = twilio_call()
    printed = import_text(tmp_path, page(call))
    assert "read 1, loaded 1, updated 0, unchanged 0, rejected 0" in printed
    loaded = the_call(call["sid"])
    check_the_usual_call(loaded, line)
    assert loaded.provider_status == "completed"
    assert loaded.ai_confidence == Decimal("0.80")
    assert rejected(tmp_path) == []


def test_import_several_pages_bare_lists_and_single_calls(
    line: PhoneNumber, tmp_path: Path
) -> None:
    parts = [
        page(twilio_call(), twilio_call()),
        page(),
        json.dumps([twilio_call()], indent=2),
        json.dumps(twilio_call(), indent=2),
    ]
    assert "read 4, loaded 4" in import_text(tmp_path, "\n".join(parts))


def test_import_reads_on_over_the_ends_of_pieces(
    line: PhoneNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PIECE", 7)
    monkeypatch.setattr(formats, "HEAD", 40)
    text = page(*(twilio_call(caller_name='half "quoted" \\ é') for _ in range(20)))
    assert "loaded 20" in import_text(tmp_path, text)
    assert "loaded 20" in import_text(tmp_path, lines(*(own_call() for _ in range(20))))
    rows = console_csv(*(console_row(Type="two\nlines") for _ in range(20)))
    assert "loaded 20" in import_text(tmp_path, rows)


def test_import_console_csv(line: PhoneNumber, tmp_path: Path) -> None:
    row = console_row()
    assert "loaded 1" in import_text(tmp_path, console_csv(row))
    check_the_usual_call(the_call(row["Call Sid"]), line)


def test_import_console_csv_is_tolerant(line: PhoneNumber, tmp_path: Path) -> None:
    """A BOM, other names, order and case of columns, semicolons, null for nothing."""
    text = (
        "\ufeffDURATION;to;CallSid;From;Caller City;status;StartTime;direction\r\n"
        f'null;{BAKERY};CA1;"client:front;desk";"Köln";No Answer;2026-03-03 20:36:29;inbound\r\n'
        "\r\n"
    )
    assert "read 1, loaded 1" in import_text(tmp_path, text)
    call = the_call("CA1")
    assert (call.caller_number, call.duration) == ("client:front;desk", 0)
    assert (call.status, call.provider_status) == ("failed", "no-answer")
    assert call.created_at == BEGAN


def test_import_json_lines_of_our_columns(line: PhoneNumber, tmp_path: Path) -> None:
    call = own_call(
        recording_url="https://example.com/r/1",
        transcript="Agent: Hello.\nCaller: Tab\there, back\\slash, grüß Gott, 你好.",
        ai_summary="Said hello.",
        ai_confidence=0.93,
        metadata={"intent": "greeting"},
        tags=["hello", 'a "quoted", {tag}'],
        custom_fields={"order": 7},
    )
    by_id = own_call(phone_id=line.pk, status="busy")
    del by_id["number"]
    assert "read 2, loaded 2" in import_text(tmp_path, lines(call, by_id))
    loaded = the_call(call["call_sid"])
    check_the_usual_call(loaded, line)
    assert loaded.recording_url == call["recording_url"]
    assert loaded.transcript == call["transcript"]
    assert loaded.ai_summary == call["ai_summary"]
    assert loaded.ai_confidence == Decimal("0.93")
    assert loaded.provider_status is None
    metadata = the_metadata(call["call_sid"])
    assert metadata is not None
    assert metadata.phone_id == line.pk
    assert metadata.metadata == call["metadata"]
    assert metadata.tags == call["tags"]
    assert metadata.custom_fields == call["custom_fields"]
    other = the_call(by_id["call_sid"])
    assert (other.phone_id, other.status, other.provider_status) == (line.pk, "failed", "busy")
    assert the_metadata(by_id["call_sid"]) is None


def test_import_json_lines_of_twilio(line: PhoneNumber, tmp_path: Path) -> None:
    """Twilio's BulkExport: the Call resource, a line each, with ISO 8601 times."""
    call = twilio_call(start_time="2026-03-03T20:36:29Z")
    assert "loaded 2" in import_text(tmp_path, lines(call, twilio_call()) + "\n")
    check_the_usual_call(the_call(call["sid"]), line)


def test_import_names_columns_it_ignores(line: PhoneNumber, tmp_path: Path) -> None:
    printed = import_text(tmp_path, lines(own_call(ai_sumary="typed wrong")))
    assert "ignored" in printed
    assert "'ai_sumary'" in printed


def test_import_gzip(line: PhoneNumber, tmp_path: Path) -> None:
    call = twilio_call()
    assert "loaded 1" in import_text(tmp_path, gzip.compress(page(call).encode()))
    check_the_usual_call(the_call(call["sid"]), line)


def test_import_standard_input(
    line: PhoneNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(page(twilio_call()).encode())))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert "loaded 1" in import_file(Path("-"))


def test_import_format_can_be_forced(line: PhoneNumber, tmp_path: Path) -> None:
    call = json.dumps(own_call())
    assert "loaded 1" in import_text(tmp_path, call, "--format", "twilio-json")
    assert "unchanged 1" in import_text(tmp_path, call, "--format", "jsonl")


def test_import_outbound_call_belongs_to_the_line_that_made_it(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    made = twilio_call(**{"direction": "outbound-api", "from": GARAGE, "to": "+442079460018"})
    unsaid = twilio_call(**{"direction": None, "from": GARAGE, "to": "+442079460018"})
    assert "loaded 2" in import_text(tmp_path, page(made, unsaid))
    for sid, word in ((made["sid"], "outbound-api"), (unsaid["sid"], "outbound")):
        call, metadata = the_call(sid), the_metadata(sid)
        assert (call.phone_id, call.caller_number) == (other_line.pk, "+442079460018")
        assert metadata is not None
        assert metadata.metadata == {"direction": word}


def test_import_puts_each_call_into_its_line(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    mine, theirs = twilio_call(), twilio_call(to=GARAGE)
    import_text(tmp_path, page(mine, theirs))
    for owner, call in ((line, mine), (other_line, theirs)):
        with tenant(owner.pk):
            assert [c.call_sid for c in Call.objects.all()] == [call["sid"]]


@pytest.mark.parametrize(
    "spelling",
    ["(415) 555-0101", "+1 415-555-0101", "14155550101", "415.555.0101", "tel:+14155550101"],
)
def test_import_finds_a_line_however_its_number_is_spelled(
    line: PhoneNumber, tmp_path: Path, spelling: str
) -> None:
    call = twilio_call(to=spelling)
    assert "loaded 1" in import_text(tmp_path, page(call))
    check_the_usual_call(the_call(call["sid"]), line)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("(415) 555-9999", "+14155559999"),
        ("0044 20 7946 0018", "+442079460018"),
        ("011 44 20 7946 0018", "+442079460018"),
        ("client:agent4155550101", "client:agent4155550101"),
        ("sip:alice@example.com", "sip:alice@example.com"),
        ("anonymous", "anonymous"),
        ("", "anonymous"),
        (None, "anonymous"),
        ("611", "611"),
    ],
)
def test_import_caller_is_e164_or_as_given(
    line: PhoneNumber, tmp_path: Path, given: str | None, kept: str
) -> None:
    call = twilio_call(**{"from": given})
    import_text(tmp_path, page(call))
    assert the_call(call["sid"]).caller_number == kept


def test_import_survives_a_line_in_no_country(line: PhoneNumber, tmp_path: Path) -> None:
    made = make_line(number="+99912345678")
    national, whole = (
        twilio_call(to=made.number, **{"from": caller})
        for caller in ("415 555 9999", "+1 415 555 9999")
    )
    assert "loaded 1" in import_text(tmp_path, page(national, whole))
    assert the_call(whole["sid"]).caller_number == "+14155559999"
    [row] = rejected(tmp_path)
    assert "from '415 555 9999' is not a whole number; write it with its country" in row["reason"]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Tue, 03 Mar 2026 20:36:29 +0000", []),
        ("Tue, 3 Mar 2026 20:36:29 GMT", []),
        ("Tue, 03 Mar 2026 12:36:29 PST", []),
        ("2026-03-03T21:36:29+01:00", []),
        ("2026-03-03 20:36:29.000 UTC", []),
        ("2026-03-03 20:36:29+00", []),
        ("12:36:29 PST 2026-03-03", []),
        ("2026-03-03 21:36:29", ["--timezone", "Europe/Berlin"]),
        ("07:36:29 AEDT 2026-03-04", ["--timezone", "Australia/Sydney"]),
    ],
)
def test_import_reads_the_times_of_exports(
    line: PhoneNumber, tmp_path: Path, text: str, options: list[str]
) -> None:
    call = twilio_call(start_time=text)
    import_text(tmp_path, page(call), *options)
    assert the_call(call["sid"]).created_at == BEGAN


def test_import_takes_the_creation_of_a_call_that_never_started(
    line: PhoneNumber, tmp_path: Path
) -> None:
    call = twilio_call(status="queued", start_time=None, duration=None, end_time=None)
    import_text(tmp_path, page(call))
    loaded = the_call(call["sid"])
    assert loaded.created_at == BEGAN.replace(second=28)
    assert (loaded.status, loaded.provider_status, loaded.duration) == ("ringing", "queued", 0)


def test_import_samples_of_the_repository(tmp_path: Path, db: None) -> None:
    for number in ("+14155550100", "+442071838750", "+4930901820"):
        make_line(number=number)
    samples = Path(formats.__file__).parent / "samples"
    rejects = ["--rejects", str(tmp_path / "rejects.csv"), "--strict"]
    assert "loaded 60" in import_file(samples / "twilio_calls.json", *rejects)
    assert "loaded 14" in import_file(samples / "twilio_console.csv", *rejects)
    printed = import_file(samples / "calls_with_transcripts.jsonl", *rejects)
    assert "loaded 2, updated 6, unchanged 0, rejected 0" in printed
    with all_tenants("test"):
        assert Call.objects.exclude(transcript=None).count() == 7
