"""What the readers of all formats share: text that is read a piece at a time."""

import io
from collections.abc import Iterator
from typing import Any, TextIO

MAX_RECORD_LENGTH = 16 * 1024 * 1024  # characters of one line, or of one object in a JSON list
PIECE = 1024 * 1024  # characters read at a time

# The row, which is the line in a CSV or JSON lines file and the place in a JSON list; and the
# record: a dict if it is good for anything, or Rejected when that row alone cannot be read.
Records = Iterator[tuple[int, Any]]


class UnreadableFile(Exception):
    """A file that cannot be read, or not beyond some row; the message says what to do."""


def lines_of(head: str, stream: TextIO) -> Iterator[str]:
    """Lines with their ends. What exceeds MAX_RECORD_LENGTH in one is left out of it."""
    *whole, line = list(io.StringIO(head, newline="")) or [""]
    yield from whole
    if not line.endswith("\n"):
        line += stream.readline(MAX_RECORD_LENGTH)
    while line:
        yield line
        while len(line) >= MAX_RECORD_LENGTH and not line.endswith("\n"):
            line = stream.readline(MAX_RECORD_LENGTH)
        line = stream.readline(MAX_RECORD_LENGTH)
