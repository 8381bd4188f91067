"""Files as spreadsheets and our own export write them."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from backoffice.exporting import csv_lines
from calls.admin.actions import COLUMNS
from calls.intake.imports.json_files import MORE_PAGES
from calls.models import Call
from calls.outcomes import with_outcomes
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.call_files import (
    BAKERY,
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
from tests.factories import make_call


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["csv", "page", "lines"])
def test_import_of_utf_16(
    line: PhoneNumber, tmp_path: Path, encoding: str, packed: bool, kind: str
) -> None:
    row, call = console_row(), own_call(transcript="Grüß Gott, 你好 🙂.")
    text = {
        "csv": console_csv(row).replace(",", "\t"),
        "page": page(twilio_call()),
        "lines": json.dumps(call, ensure_ascii=False) + "\n",
    }[kind]
    content = text.encode(encoding)
    printed = import_text(tmp_path, gzip.compress(content) if packed else content)
    assert "read 1, loaded 1" in printed
    if kind == "lines":
        assert the_call(call["call_sid"]).transcript == call["transcript"]


def test_import_of_utf_16_that_is_cut_off(line: PhoneNumber, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is not UTF-16 from a certain place on"):
        import_text(tmp_path, lines(own_call(), own_call()).encode("utf-16")[:-1])


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("65", 65), ("1:05", 65), ("0:09", 9), ("1:01:05", 3665), ("75:00", 4500), ("1,065", 1065),
        ("1,000,065", 1_000_065), ("65.0", 65), ("65.000", 65), ("1,065.0", 1065), (" 65 ", 65),
        (65, 65), (65.0, 65), ("", 0), (None, 0),
    ],
)  # fmt: skip
def test_import_reads_durations(
    line: PhoneNumber, tmp_path: Path, written: Any, seconds: int
) -> None:
    call = twilio_call(duration=written)
    assert "loaded 1" in import_text(tmp_path, page(call))
    assert the_call(call["sid"]).duration == seconds


@pytest.mark.parametrize(
    "written",
    ["1.5", 1.5, "1,5", "1,06", "1.065", "1:5", "1:65", "1:75:05", "1,0655", "-1:05", "65s",
     float("nan"), float("inf"), 1e300],
)  # fmt: skip
def test_import_refuses_doubtful_durations(
    line: PhoneNumber, tmp_path: Path, written: Any
) -> None:
    import_text(tmp_path, page(twilio_call(duration=written), twilio_call()))
    [row] = rejected(tmp_path)
    assert "is not a number of seconds: expected a whole number, or 1:05" in row["reason"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_import_reads_the_line_with_the_delimiter(
    line: PhoneNumber, tmp_path: Path, delimiter: str
) -> None:
    good, bad = console_row(), console_row(Status="exploded")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([good.keys(), good.values(), bad.values()])
    assert "loaded 1" in import_text(tmp_path, f"\ufeffsep={delimiter}\r\n{text.getvalue()}")
    [row] = rejected(tmp_path)
    assert row["row"] == "4"


@pytest.mark.parametrize("named", ["Status", "CALL STATUS", "status"])
def test_import_refuses_a_column_that_is_there_twice(
    line: PhoneNumber, tmp_path: Path, named: str
) -> None:
    header, row = console_csv(console_row()).splitlines()
    text = f'{header},"{named}"\r\n{row},"busy"\r\n'
    with pytest.raises(CommandError, match=f"the columns 'Status', '{named}' of the CSV are the"):
        import_text(tmp_path, text)
    with all_tenants("test"):
        assert not Call.objects.exists()


def test_import_refuses_a_name_that_is_twice_in_an_object(
    line: PhoneNumber, tmp_path: Path
) -> None:
    for text in (page(twilio_call(), twilio_call()), lines(own_call(), own_call())):
        twice = text.replace('"status": "completed"', '"status": "busy", "status": "ringing"', 1)
        assert "read 2, loaded 1" in import_text(tmp_path, twice)
        [row] = rejected(tmp_path)
        assert row["row"] == "1"
        assert "'status' appears twice in one object; remove one of them" in row["reason"]


def test_import_says_that_more_pages_exist(
    line: PhoneNumber, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = json.dumps({"calls": [twilio_call()], "next_page_uri": "/Calls.json?Page=1"})
    for text, more in ((first, True), (first + page(twilio_call()), False)):
        assert "loaded" in import_text(tmp_path, text)
        assert (MORE_PAGES in capsys.readouterr().err) is more


def test_import_reads_our_own_export(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    made = [
        make_call(
            line,
            caller_number="+4930901820",
            created_at=datetime(2026, 7, 1, 3, 30, 15, 250000, tzinfo=UTC),
            duration=1065,
            ai_confidence="0.55",
            ai_summary='=HYPERLINK("http://x","y")\n"quoted", and, commas',
            transcript="'+1 is quoted\nhere",
            recording_url="https://example.com/r.mp3",
            provider_status="completed",
            metadata={"tags": ["vip", "a,b;c", "=x"]},
        ),
        make_call(other_line, caller_number="anonymous", status="failed", duration=0),
        make_call(line, caller_number="unknown", status="ringing", duration=0),
    ]
    columns = {**COLUMNS, "transcript": lambda call: call.transcript}
    names = (
        "call_sid", "phone_id", "caller_number", "status", "provider_status", "duration",
        "created_at", "ai_confidence", "recording_url", "ai_summary", "transcript",
    )  # fmt: skip
    with all_tenants("test"):
        queryset = with_outcomes(Call.objects.select_related("phone", "metadata"))
        path = tmp_path / "calls.csv"
        path.write_text("".join(csv_lines(queryset, columns=columns, ordering=("id",))))
        before = list(Call.objects.order_by("call_sid").values(*names))
        Call.objects.all().delete()
    assert "read 3, loaded 3, updated 0, unchanged 0, rejected 0" in import_file(path)
    with all_tenants("test"):
        assert list(Call.objects.order_by("call_sid").values(*names)) == before
    metadata = the_metadata(made[0].call_sid)
    assert metadata is not None
    assert metadata.tags == ["vip", "a,b;c", "=x"]
    assert the_metadata(made[1].call_sid) is None
    assert "unchanged 3" in import_file(path)


def test_import_reads_our_columns_by_other_names(line: PhoneNumber, tmp_path: Path) -> None:
    text = (
        "Call SID;Line;Caller;Status;Seconds;Local time;Tags;Recording;Summary;Confidence;Custom"
        " fields\r\n"
        f"CA1;{line.pk};(415) 555-9999;completed;1:05;2026-03-03 21:36:29;vip; a, b;"
    )
    text = text.replace("vip; a, b;", '"vip; new";https://example.com/r;Hello.;0.5;"{""n"":1}"')
    by_number = f'\r\nCA2;{BAKERY};;busy;0;2026-03-03 21:36:29;;;;;""\r\n'
    printed = import_text(tmp_path, text + by_number, "--timezone", "Europe/Berlin")
    assert "read 2, loaded 2" in printed
    call, metadata = the_call("CA1"), the_metadata("CA1")
    assert (call.caller_number, call.duration, call.ai_summary) == ("+14155559999", 65, "Hello.")
    assert call.created_at == datetime(2026, 3, 3, 20, 36, 29, tzinfo=UTC)
    assert (call.ai_confidence, call.recording_url) == (Decimal("0.5"), "https://example.com/r")
    assert metadata is not None
    assert (metadata.tags, metadata.custom_fields) == (["vip", "new"], {"n": 1})
    assert (the_call("CA2").caller_number, the_metadata("CA2")) == ("anonymous", None)


def test_import_says_which_of_our_columns_are_missing(tmp_path: Path, db: None) -> None:
    with pytest.raises(CommandError, match="has no column phone_id, status"):
        import_text(tmp_path, "call_sid,caller_number,created_at\nCA1,+1,2026-03-03\n")
