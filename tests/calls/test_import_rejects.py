"""Rows that import_calls cannot load: each is reported with a reason, the rest is loaded."""

import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from calls.intake.imports import formats, record_fields, streams
from calls.models import Call
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.call_files import (
    GARAGE,
    console_csv,
    console_row,
    import_text,
    lines,
    own_call,
    page,
    rejected,
    the_call,
    twilio_call,
)
from tests.factories import make_call


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"sid": None}, "sid is missing; every call needs"),
        ({"sid": 7}, "sid is not a call SID"),
        ({"sid": "CA 1\n2"}, "sid is not a call SID"),
        ({"sid": "C" * 65}, "sid is not a call SID: expected at most 64"),
        ({"status": None}, "status is missing"),
        ({"status": "exploded"}, "status 'exploded' is unknown"),
        ({"status": ["completed"]}, "status ['completed'] is unknown"),
        ({"status": "x" * 1_000_000}, "xxx...xxx"),
        ({"duration": "-5"}, "duration '-5' is not a number of seconds"),
        ({"duration": -5}, "duration -5 is not a number of seconds"),
        ({"duration": "1 min"}, "is not a number of seconds"),
        ({"duration": 1.5}, "is not a number of seconds"),
        ({"duration": True}, "is not a number of seconds"),
        ({"duration": "2147483648"}, "is not a number of seconds"),
        ({"start_time": "yesterday"}, "start_time is not a time: expected one such as"),
        ({"start_time": "Tue, 31 Feb 2026 20:36:29 +0000"}, "is not a date in the calendar"),
        ({"start_time": "2026-03-03T25:00:00Z"}, "is not a date in the calendar"),
        ({"start_time": "03/04/2026 10:00"}, "start_time is not a time"),
        ({"start_time": "Tue, 03 Mar 1998 20:36:29 +0000"}, "before 2000 or in the future"),
        ({"start_time": "Tue, 03 Mar 2099 20:36:29 +0000"}, "before 2000 or in the future"),
        ({"start_time": "2026-03-03T20:36:29+99:00"}, "invalid UTC offset"),
        ({"start_time": "20:36:29 AEDT 2026-03-03"}, "set it with --timezone"),
        ({"start_time": 1772570189}, "start_time is not text"),
        ({"start_time": None, "date_created": None}, "date_created is missing"),
        ({"to": "+14155550999"}, "to: no line has the number '+14155550999'; add the line"),
        ({"to": None}, "to is empty: expected the number of the line"),
        ({"to": 14155550101}, "to is not text"),
        ({"to": "client:bakery"}, "no line has the number 'client:bakery'"),
        ({"direction": "outbound-dial"}, "from: no line has the number"),
        ({"direction": "sideways"}, "direction 'sideways' is unknown"),
        ({"from": "sip:" + "a" * 300}, "from is longer than 256 characters; shorten it"),
        ({"from": "sip:a\0b"}, "from has a NUL"),
        ({"from": "sip:\ud800"}, "from has a NUL or bytes that are not UTF-8"),
    ],
)
def test_import_rejects_a_twilio_row(
    line: PhoneNumber, tmp_path: Path, overrides: dict[str, Any], reason: str
) -> None:
    good = twilio_call()
    printed = import_text(tmp_path, page(twilio_call(**overrides), good))
    assert "read 2, loaded 1, updated 0, unchanged 0, rejected 1" in printed
    [row] = rejected(tmp_path)
    assert row["row"] == "1"
    assert reason in row["reason"]
    assert the_call(good["sid"]).status == "completed"


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"call_sid": ""}, "call_sid is missing"),
        ({"number": None}, "the line is missing"),
        ({"number": None, "phone_id": "pn_nobody"}, "phone_id: no line has the id 'pn_nobody'"),
        ({"phone_id": "pn_garage"}, "phone_id and number are of different lines"),
        ({"created_at": None}, "created_at is missing"),
        ({"ai_confidence": 1.01}, "ai_confidence 1.01 is invalid: expected a number"),
        ({"ai_confidence": -0.1}, "expected a number from 0 to 1"),
        ({"ai_confidence": float("nan")}, "expected a number from 0 to 1"),
        ({"ai_confidence": "high"}, "expected a number from 0 to 1"),
        ({"ai_confidence": True}, "expected a number from 0 to 1"),
        ({"recording_url": "javascript:alert(1)"}, "recording_url is not a URL"),
        ({"recording_url": "https://e.com/" + "a" * 3000}, "recording_url is longer than 2048"),
        ({"transcript": "a\0b"}, "transcript has a NUL"),
        ({"transcript": 5}, "transcript is not text"),
        ({"transcript": "a" * 1_000_001}, "transcript is longer than 1000000 characters"),
        ({"ai_summary": "a" * 100_001}, "ai_summary is longer than 100000 characters"),
        ({"metadata": [1]}, "metadata is not a JSON object"),
        ({"metadata": {"a": "b\0"}}, "metadata has a NUL"),
        ({"metadata": {"a": float("inf")}}, "metadata is not valid JSON"),
        ({"custom_fields": {"a": "\udfff"}}, "custom_fields is not valid JSON"),
        ({"custom_fields": {"a": "b" * 100_000}}, "custom_fields is longer than 100000"),
        ({"tags": "billing"}, "tags is invalid"),
        ({"tags": [1]}, "tags is invalid"),
        ({"tags": ["a\0"]}, "tags is invalid"),
        ({"tags": ["a" * 101]}, "tags is invalid"),
        ({"tags": ["a"] * 101}, "tags is invalid"),
    ],
)
def test_import_rejects_a_row_of_our_columns(
    line: PhoneNumber,
    other_line: PhoneNumber,
    tmp_path: Path,
    overrides: dict[str, Any],
    reason: str,
) -> None:
    good = own_call(metadata={"escaped": "\\u0000 is no NUL"})
    printed = import_text(tmp_path, lines(own_call(**overrides), good))
    assert "read 2, loaded 1, updated 0, unchanged 0, rejected 1" in printed
    [row] = rejected(tmp_path)
    assert row["row"] == "1"
    assert reason in row["reason"]
    assert the_call(good["call_sid"]).status == "completed"


@pytest.mark.parametrize(
    ("line_of_text", "reason"),
    [
        ('{"call_sid": "CA1", ', "not a JSON object on one line"),
        ("not JSON", "not a JSON object on one line"),
        ("[1, 2]", "not a JSON object: expected one object per call"),
        ('"CA1"', "not a JSON object: expected one object per call"),
        ("{}", "call_sid is missing"),
        ("[" * 100_000, "not a JSON object on one line"),
        ("9" * 5_000, "a number has more than 1,000 digits"),
    ],
)
def test_import_rejects_a_line_that_is_no_call(
    line: PhoneNumber, tmp_path: Path, line_of_text: str, reason: str
) -> None:
    text = lines(own_call()) + line_of_text + "\n" + lines(own_call())
    assert "read 3, loaded 2" in import_text(tmp_path, text, "--format", "jsonl")
    [row] = rejected(tmp_path)
    assert row["row"] == "2"
    assert reason in row["reason"]


def test_import_rejects_a_monstrous_line(
    line: PhoneNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_RECORD_LENGTH", 5_000)
    monkeypatch.setattr(formats, "HEAD", 1_000)
    text = lines(own_call(), own_call(transcript="a" * 17_000), own_call())
    assert "read 3, loaded 2" in import_text(tmp_path, text)
    [row] = rejected(tmp_path)
    assert row["row"] == "2"
    assert "more than 5000 characters" in row["reason"]


def test_import_loads_the_longest_transcript_from_csv(line: PhoneNumber, tmp_path: Path) -> None:
    call = own_call(transcript="Hello?\n" * 100_000)
    assert "loaded 1" in import_text(tmp_path, console_csv(call))
    assert the_call(call["call_sid"]).transcript == call["transcript"]


def test_import_rejects_bytes_that_are_not_utf_8(line: PhoneNumber, tmp_path: Path) -> None:
    text = lines(own_call(), own_call(transcript="Müller"), own_call())
    latin = text.encode().replace(b"M\\u00fcller", b"M\xfcller")
    assert "read 3, loaded 2" in import_text(tmp_path, latin)
    [row] = rejected(tmp_path)
    assert "transcript has a NUL or bytes that are not UTF-8" in row["reason"]


def test_import_rejects_broken_csv_rows_by_line(line: PhoneNumber, tmp_path: Path) -> None:
    header, first, second, third, fourth = console_csv(
        *(console_row() for _ in range(4))
    ).splitlines()
    short = ",".join(second.split(",")[:3])
    quotes = third.replace('"CA', '"CA"x', 1)
    text = f"{header}\r\n{first}\r\n{short}\r\n{quotes}\r\n{fourth}\r\n"
    assert "read 4, loaded 2" in import_text(tmp_path, text)
    reasons = {row["row"]: row["reason"] for row in rejected(tmp_path)}
    assert reasons.keys() == {"3", "4"}
    assert "not a call: found 3 fields, expected" in reasons["3"]
    assert "repair the quotes" in reasons["4"]


def test_import_says_which_rows_a_stray_quote_took_along(
    line: PhoneNumber, tmp_path: Path
) -> None:
    text = console_csv(*(console_row() for _ in range(4)))
    header, first, second, third, fourth = text.splitlines()
    stray = second.rpartition('"')[0]
    text = f"{header}\r\n{first}\r\n{stray}\r\n{third}\r\n{fourth}\r\n"
    assert "read 3, loaded 2" in import_text(tmp_path, text)
    [row] = rejected(tmp_path)
    assert row["row"] == "3"
    assert "not a CSV row (up to line 4)" in row["reason"]


def test_import_rejects_a_call_of_another_line(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    theirs = make_call(other_line, status="ringing")
    printed = import_text(tmp_path, page(twilio_call(sid=theirs.call_sid), twilio_call()))
    assert "read 2, loaded 1, updated 0, unchanged 0, rejected 1" in printed
    [row] = rejected(tmp_path)
    assert "belongs to another line" in row["reason"]
    assert the_call(theirs.call_sid).status == "ringing"


def test_import_writes_rejects_for_spreadsheets_and_the_owner_alone(
    line: PhoneNumber, tmp_path: Path
) -> None:
    bad = own_call(call_sid="=HYPERLINK(1)", status="exploded")
    import_text(tmp_path, lines(bad, own_call()))
    [row] = rejected(tmp_path)
    assert row["call_sid"] == "'=HYPERLINK(1)"
    mode = (tmp_path / "calls.txt.rejects.csv").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_import_replaces_an_earlier_rejects_file_and_removes_it_when_all_is_well(
    line: PhoneNumber, tmp_path: Path
) -> None:
    import_text(tmp_path, page(twilio_call(status="exploded"), twilio_call()))
    assert len(rejected(tmp_path)) == 1
    import_text(tmp_path, page(twilio_call()))
    assert not (tmp_path / "calls.txt.rejects.csv").exists()


def test_import_never_replaces_another_file(line: PhoneNumber, tmp_path: Path) -> None:
    precious = tmp_path / "precious.csv"
    precious.write_text("my,data\n")
    with pytest.raises(CommandError, match="is not a rejects file; choose another with --rejects"):
        import_text(tmp_path, page(twilio_call()), "--rejects", str(precious))
    assert precious.read_text() == "my,data\n"
    with all_tenants("test"):
        assert not Call.objects.exists()


def test_import_strict_ends_with_an_error_and_loads_the_rest(
    line: PhoneNumber, tmp_path: Path
) -> None:
    good = twilio_call()
    with pytest.raises(CommandError, match="Some rows were rejected; see the reasons in"):
        import_text(tmp_path, page(twilio_call(status="exploded"), good), "--strict")
    assert the_call(good["sid"]).status == "completed"


def test_import_of_nothing_but_bad_rows_ends_with_an_error(
    line: PhoneNumber, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="All rows were rejected"):
        import_text(tmp_path, page(twilio_call(to=GARAGE)))


def test_import_takes_what_is_just_within_the_limits(line: PhoneNumber, tmp_path: Path) -> None:
    call = own_call(
        call_sid="x" * 64,
        caller_number="ü" * record_fields.MAX_CALLER_LENGTH,
        transcript="é" * record_fields.MAX_TRANSCRIPT_LENGTH,
        ai_summary="é" * record_fields.MAX_SUMMARY_LENGTH,
        recording_url="https://" + "a" * (record_fields.MAX_URL_LENGTH - 8),
        duration=record_fields.MAX_DURATION,
        tags=[f"{n:0100}" for n in range(record_fields.MAX_TAGS)],
        metadata={f"key {n}": "w" * 100 for n in range(800)},
    )
    assert "loaded 1" in import_text(tmp_path, lines(call))
    assert the_call(call["call_sid"]).caller_number == call["caller_number"]
