"""Local times and the abbreviations of time zones in files."""

from datetime import datetime
from pathlib import Path

import pytest

from tenants.models import PhoneNumber
from tests.calls.call_files import import_text, page, rejected, the_call, twilio_call


@pytest.mark.parametrize(
    ("text", "zone", "began"),
    [
        # The zone that was given says what an abbreviation means.
        ("2026-03-04 04:36:29 CST", "Asia/Shanghai", "2026-03-03 20:36:29"),
        ("2026-03-04 02:06:29 IST", "Asia/Kolkata", "2026-03-03 20:36:29"),
        ("2026-07-03 21:36:29 IST", "Europe/Dublin", "2026-07-03 20:36:29"),
        ("2026-03-03 22:36:29 IST", "Asia/Jerusalem", "2026-03-03 20:36:29"),
        ("2026-03-03 14:36:29 CST", "America/Chicago", "2026-03-03 20:36:29"),
        # Standard time, also where people use it in summer.
        ("2026-07-03 14:36:29 CST", "America/Chicago", "2026-07-03 20:36:29"),
        ("2026-03-03 20:36:29 UTC", "Asia/Shanghai", "2026-03-03 20:36:29"),
        ("2026-03-03 20:36:29 GMT", "Asia/Shanghai", "2026-03-03 20:36:29"),
        # Where none was given they are America's.
        ("2026-03-03 14:36:29 CST", None, "2026-03-03 20:36:29"),
        ("Tue, 03 Mar 2026 15:36:29 EST", None, "2026-03-03 20:36:29"),
        # The hour that occurs twice, with its abbreviation or offset.
        ("2026-10-25 02:30:00 CEST", "Europe/Berlin", "2026-10-25 00:30:00"),
        ("2026-10-25 02:30:00 CET", "Europe/Berlin", "2026-10-25 01:30:00"),
        ("2026-10-25 02:30:00+02:00", "Europe/Berlin", "2026-10-25 00:30:00"),
    ],
)
def test_import_takes_a_time_zone_as_it_was_given(
    line: PhoneNumber, tmp_path: Path, text: str, zone: str | None, began: str
) -> None:
    call = twilio_call(start_time=text)
    options = ["--timezone", zone] if zone else []
    assert "loaded 1" in import_text(tmp_path, page(call), *options)
    assert the_call(call["sid"]).created_at == datetime.fromisoformat(f"{began}+00:00")


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        (
            "2026-10-25 02:30:00",
            "Europe/Berlin",
            "exists twice in Europe/Berlin, where the clocks are changed then; write its offset,"
            " such as +0200 or +0100",
        ),
        ("2026-03-29 02:30:00", "Europe/Berlin", "start_time does not exist in Europe/Berlin"),
        ("2026-11-01 01:30:00", "America/New_York", "exists twice in America/New_York"),
        ("2026-03-08 02:30:00", "America/New_York", "does not exist in America/New_York"),
        ("2026-03-03 20:36:29 EST", "Europe/Berlin", "EST, which Europe/Berlin does not use"),
        ("2026-03-03 20:36:29 CST", "UTC", "time zone CST, which UTC does not use"),
        ("2026-03-03 20:36:29 IST", None, "has the ambiguous time zone IST; set it with"),
    ],
)
def test_import_names_a_time_that_is_not_one_moment(
    line: PhoneNumber, tmp_path: Path, text: str, zone: str | None, reason: str
) -> None:
    options = ["--timezone", zone] if zone else []
    import_text(tmp_path, page(twilio_call(start_time=text), twilio_call()), *options)
    [row] = rejected(tmp_path)
    assert reason in row["reason"]
