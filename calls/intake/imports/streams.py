"""Text read in pieces, for the readers of all formats."""

import io
from collections.abc import Iterator
from typing import Any, TextIO

MAX_RECORD_LENGTH = 16 * 1024 * 1024  # characters of one line, or of one object in a JSON list
PIECE = 1024 * 1024  # characters read at a time

# The row, which is the line in a CSV or JSON lines file and the index in a JSON list; and the
# record: a dict if valid, or Rejected when only that row cannot be read.
Records = Iterator[tuple[int, Any]]


class UnreadableFile(Exception):
    """A file that cannot be read, or not beyond a certain row; the message says what to do."""


def lines_of(head: str, stream: TextIO) -> Iterator[str]:
    """Lines with their line breaks, each cut off at MAX_RECORD_LENGTH."""
    *whole, line = list(io.StringIO(head, newline="")) or [""]
    yield from whole
    if not line.endswith("\n"):
        line += stream.readline(MAX_RECORD_LENGTH)
    while line:
        yield line
        while len(line) >= MAX_RECORD_LENGTH and not line.endswith("\n"):
            line = stream.readline(MAX_RECORD_LENGTH)
        line = stream.readline(MAX_RECORD_LENGTH)
