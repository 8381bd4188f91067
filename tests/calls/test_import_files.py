"""What import_calls says of files and arguments that make no sense: one line, and an error."""

import gzip
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import ProgrammingError

from calls.intake.imports import formats, importing, streams
from calls.models import Call
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.call_files import (
    console_csv,
    console_row,
    import_file,
    import_text,
    lines,
    own_call,
    page,
    the_call,
    twilio_call,
)


def refusal(directory: Path, content: str | bytes, *options: str) -> str:
    with pytest.raises(CommandError) as error:
        import_text(directory, content, *options)
    message = str(error.value)
    assert "\n" not in message
    assert error.value.returncode == 1
    return message


def test_import_of_a_missing_file(tmp_path: Path, db: None) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        import_file(tmp_path / "nothing.json")
    assert list(tmp_path.iterdir()) == []


def test_import_of_a_directory(tmp_path: Path, db: None) -> None:
    with pytest.raises(CommandError, match="cannot be read: Is a directory"):
        import_file(tmp_path)


@pytest.mark.parametrize("content", ["", " \n\n", "\ufeff"])
def test_import_of_an_empty_file(tmp_path: Path, db: None, content: str) -> None:
    assert "is empty; export the calls again" in refusal(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        random.Random(5).randbytes(50_000),
        b"\x00" * 1_000,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "just a text\n",
        page().encode("utf-32"),
    ],
)
def test_import_of_garbage(tmp_path: Path, db: None, content: bytes) -> None:
    assert "is neither JSON nor a CSV call log in UTF-8" in refusal(tmp_path, content)


def test_import_of_a_damaged_gzip_file(line: PhoneNumber, tmp_path: Path) -> None:
    text = lines(*(own_call(transcript=os.urandom(1_000).hex()) for _ in range(100)))
    whole = gzip.compress(text.encode())
    for content in (whole[:50], whole[:-20], whole[:20_000] + b"!" * 100 + whole[20_100:]):
        assert "gzip file is damaged or incomplete" in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[: text.rindex('"sid"')], "at call 3"),
        (lambda text: text[: text.rindex("}")], "unexpected end"),
        (lambda text: text.replace('"duration":', '"duration"', 1), "at call 1"),
        (lambda text: text.replace("]", "", 1), "expected ',', found ':'"),
        (lambda text: text + "]", "unexpected text between two lists"),
    ],
)
def test_import_of_damaged_json(
    line: PhoneNumber, tmp_path: Path, damage: Callable[[str], str], reason: str
) -> None:
    message = refusal(tmp_path, damage(page(twilio_call(), twilio_call(), twilio_call())))
    assert "damaged or incomplete" in message
    assert reason in message


def test_import_loads_what_comes_before_the_damage(line: PhoneNumber, tmp_path: Path) -> None:
    first = twilio_call()
    refusal(tmp_path, page(first, twilio_call())[:-200])
    assert the_call(first["sid"]).status == "completed"
    with all_tenants("test"):
        assert Call.objects.count() == 1


def test_import_of_a_monstrous_object_in_a_list(
    line: PhoneNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_RECORD_LENGTH", 5_000)
    monkeypatch.setattr(streams, "PIECE", 1_000)
    monkeypatch.setattr(formats, "HEAD", 1_000)
    text = page(twilio_call(), twilio_call(caller_name="a" * 50_000), twilio_call())
    assert "more than 5000 characters" in refusal(tmp_path, text)


def test_import_of_a_csv_without_its_columns(tmp_path: Path, db: None) -> None:
    message = refusal(tmp_path, "From,To,Price\n1,2,3\n")
    assert "has no column Call Sid, Status, Start Time" in message


def test_import_of_a_csv_with_a_quote_left_open(line: PhoneNumber, tmp_path: Path) -> None:
    row = console_row()
    message = refusal(tmp_path, console_csv(row) + 'CA1,"20:36:29\r\nCA2,20:36:29\r\n')
    assert "the quote opened on line 3 is never closed" in message
    assert the_call(row["Call Sid"]).status == "completed"


def test_import_of_files_without_a_call(line: PhoneNumber, tmp_path: Path) -> None:
    header = console_csv(console_row()).splitlines()[0]
    for content in (page(), "[]", header + "\r\n", page() + page()):
        assert import_text(tmp_path, content) == "The file contains no calls.\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--timezone", "Mars/Olympus"], "not an IANA time zone: write one such as"),
        (["--format", "xml"], "invalid choice"),
        (["--rejects", "/nowhere/at/all.csv"], "cannot be written: No such file"),
        (["--rejects", "/"], "cannot be written: Is a directory"),
    ],
)
def test_import_with_nonsense_arguments(
    line: PhoneNumber, tmp_path: Path, options: list[str], reason: str
) -> None:
    assert reason in refusal(tmp_path, page(twilio_call()), *options)
    with all_tenants("test"):
        assert not Call.objects.exists()


def test_import_rejects_option_cannot_name_the_file_itself(
    line: PhoneNumber, tmp_path: Path
) -> None:
    text = page(twilio_call())
    message = refusal(tmp_path, text, "--rejects", str(tmp_path / "calls.txt"))
    assert "is not a rejects file" in message
    assert (tmp_path / "calls.txt").read_text() == text


@pytest.mark.usefixtures("line")
def test_import_interrupted_within_a_message_to_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is what the user did; what the connection says of it helps nobody."""

    def interrupted(*_: object, **__: object) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise ProgrammingError("can't change 'autocommit' now: transaction status ACTIVE")

    monkeypatch.setattr(importing, "load", interrupted)
    with pytest.raises(CommandError, match=r"^interrupted; run the import again") as error:
        import_text(tmp_path, lines(own_call()))
    assert error.value.returncode == 130
