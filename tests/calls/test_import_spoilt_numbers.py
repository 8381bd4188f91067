"""Numbers as spreadsheets and people leave them: repaired, or refused with the reason."""

from pathlib import Path

import pytest

from tenants.models import PhoneNumber
from tests.calls.call_files import (
    console_csv,
    console_row,
    import_text,
    page,
    rejected,
    the_call,
    twilio_call,
)
from tests.factories import make_line

CALLER = "+14155559999"


@pytest.mark.parametrize(
    "written",
    [
        "14155559999.0",
        "+14155559999.00",
        "1.4155559999E+10",
        '="+14155559999"',
        "=\"14155559999\"",
        "'+14155559999",
        "'14155559999",
        "\uff0b\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff19\uff19\uff19\uff19",
        "\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0669\u0669\u0669\u0669",
        "\u202a+14155559999\u202c",
        "+1\u00a0415\u00a0555\u20119999",
        "+14155559999x123",
        "(415) 555-9999 ext. 123",
        "14155559999",
    ],
)  # fmt: skip
def test_import_repairs_a_number(line: PhoneNumber, tmp_path: Path, written: str) -> None:
    caller, to = twilio_call(**{"from": written}), twilio_call(to=written, **{"from": CALLER})
    make_line(number=CALLER)
    assert "loaded 2" in import_text(tmp_path, page(caller, to))
    assert the_call(caller["sid"]).caller_number == CALLER
    row = console_row(From=written)
    assert "loaded 1" in import_text(tmp_path, console_csv(row))
    assert the_call(row["Call Sid"]).caller_number == CALLER


SHORTENED = "was shortened by a spreadsheet; make the column text there"
FORMULA = "is a formula of a spreadsheet, not a number"
NOT_WHOLE = "is not a whole number of US; write it with its country code"
NOT_A_NUMBER = "is not a telephone number; write it as +14155550123"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1.41556E+10", SHORTENED),
        ("4.15556E+09", SHORTENED),
        ("1,41556E+10", SHORTENED),
        ('="1.41556E+10"', SHORTENED),
        ("=HYPERLINK(\"http://x\",\"+14155559999\")", FORMULA),
        ("@SUM(1)", FORMULA),
        ("<script>alert(1)</script>", NOT_A_NUMBER),
        ("1" * 30, "has 30 digits, of which a number has at most 15"),
        ("+" + "1" * 30, "has 30 digits, of which a number has at most 15"),
        ("x123", NOT_A_NUMBER),
        ("+14155559999FromXevil", NOT_A_NUMBER),
        ("5559999", NOT_WHOLE),
        ("4930123456", NOT_WHOLE),
        ("+0415555999", NOT_WHOLE),
        ("415555999O", NOT_A_NUMBER),
        ("two words", NOT_A_NUMBER),
        ("+1415555\x019999", "has control characters or invalid text"),
    ],
)  # fmt: skip
def test_import_refuses_a_spoilt_number(
    line: PhoneNumber, tmp_path: Path, written: str, reason: str
) -> None:
    spoilt, to = twilio_call(**{"from": written}), twilio_call(to=written)
    assert "read 3, loaded 1" in import_text(tmp_path, page(spoilt, to, twilio_call()))
    caller_row, line_row = rejected(tmp_path)
    assert reason in caller_row["reason"]
    assert caller_row["reason"].startswith("from ")
    assert "to: no line has the number" in line_row["reason"]


def test_import_reads_a_national_number_in_the_country_of_the_line(
    line: PhoneNumber, tmp_path: Path
) -> None:
    berlin = make_line(number="+4930901820")
    there, here = (
        twilio_call(to=to, **{"from": "030 901821"}) for to in (berlin.number, line.number)
    )
    assert "loaded 1" in import_text(tmp_path, page(there, here))
    assert the_call(there["sid"]).caller_number == "+4930901821"
    [row] = rejected(tmp_path)
    assert NOT_WHOLE in row["reason"]
