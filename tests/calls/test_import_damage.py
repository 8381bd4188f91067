"""Files damaged at random: every row is loaded or reported, and nothing else ever happens."""

import random
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import transaction

from tests.calls.call_files import (
    console_csv,
    console_row,
    import_text,
    lines,
    own_call,
    page,
    twilio_call,
)
from tests.factories import make_line

# What breaks parsers and databases: structure, NUL, bytes beyond UTF-8, huge and odd numbers.
SHRAPNEL = [
    *(bytes([byte]) for byte in b'"{}[],:;\\\n\r\t\0\x80\xff0-+eE.'),
    b"\\u0000", b"\\ud800", b"NaN", b"1e999", b"9" * 400, b"null", b"true", b"{}", b"[]",
    "\N{ARABIC-INDIC DIGIT FIVE}\u2028".encode(), b'""',
]  # fmt: skip


def damaged(content: bytes, dice: random.Random) -> bytes:
    text = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        at, size = dice.randrange(len(text)), dice.choice([0, 0, 1, 1, 5, 40])
        text[at : at + size] = dice.choice(SHRAPNEL)
    return bytes(text)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("form", ["page", "lines", "csv"])
def test_import_of_damaged_files_never_crashes(
    form: str, seed: int, tmp_path: Path, db: None
) -> None:
    make_line(number="+14155550101")
    content = {
        "page": page(twilio_call(), twilio_call(direction="outbound-api"), twilio_call()),
        "lines": lines(*(own_call(tags=["a"], metadata={"b": "é"}) for _ in range(3))),
        "csv": console_csv(*(console_row() for _ in range(3))),
    }[form].encode()
    dice = random.Random(f"{form} {seed}")
    endings = set()
    for _ in range(40):
        try:
            with transaction.atomic():
                printed = import_text(tmp_path, damaged(content, dice))
                transaction.set_rollback(True)
        except CommandError as error:
            printed = str(error)
        assert "PostgreSQL" not in printed, "a bad value reached the database"
        endings.add(printed.split()[0])
    assert {"read"} < endings, "some files were loaded and some refused"
