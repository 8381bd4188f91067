"""The files that calls come in, read as a stream: memory does not grow with the file.

- twilio-json: Twilio's Calls list resource, {"calls": [...]}, several such pages, or a bare list
- twilio-csv: the call log that Twilio's console exports
- jsonl: one JSON object a line, of our own columns or of Twilio's (its BulkExport writes those)

Each may be gzipped.
"""

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from calls.intake.rows import Rejected

LONGEST_RECORD = 16 * 1024 * 1024  # characters of one line, or of one object in a JSON list
PIECE = 1024 * 1024  # characters read at a time
HEAD = 64 * 1024  # characters that the format is told from
GZIP_MAGIC = b"\x1f\x8b"

# The row, which is the line in a CSV or JSON lines file and the place in a JSON list; and the
# record: a dict if it is good for anything, or Rejected when that row alone cannot be read.
Records = Iterator[tuple[int, Any]]

# The console's headers, past and present, without their capitals and spaces; and the names that
# the Call resource gives to the same things.
CSV_COLUMNS = {
    "callsid": "sid",
    "sid": "sid",
    "from": "from",
    "to": "to",
    "direction": "direction",
    "status": "status",
    "callstatus": "status",
    "starttime": "start_time",
    "starttimeutc": "start_time",
    "datecreated": "date_created",
    "date": "date_created",
    "duration": "duration",
    "durationseconds": "duration",
    "recordingurl": "recording_url",
}
CSV_NEEDED = {"sid": "Call Sid", "from": "From", "to": "To", "status": "Status"}
CSV_TIMES = {"start_time", "date_created"}


class UnreadableFile(Exception):
    """A file that cannot be read, or not beyond some row; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """An open file of calls. size and what position() returns are bytes of the file itself."""

    name: str
    file_format: str
    records: Records
    size: int | None  # None for a pipe, which also has no position
    position: Callable[[], int]


@contextmanager
def open_source(path: str, *, file_format: str | None = None) -> Iterator[Source]:
    """Open a file, or standard input for "-", in the format that its content shows.

    Raises UnreadableFile, as does going through the records.
    """
    name = "standard input" if path == "-" else path
    with ExitStack() as stack:
        with _reporting(name):
            raw = sys.stdin.buffer if path == "-" else stack.enter_context(Path(path).open("rb"))
            is_file = path != "-" and Path(path).is_file()
            text = _as_text(cast(io.BufferedReader, raw))
            head = text.read(HEAD)
            found = file_format or _detect(head, name)
            records = READERS[found](head, text)
        yield Source(
            name=name,
            file_format=found,
            records=_reported(records, name),
            size=Path(path).stat().st_size if is_file else None,
            position=raw.tell if is_file else lambda: 0,
        )


def _as_text(raw: io.BufferedReader) -> TextIO:
    binary = gzip.GzipFile(fileobj=raw) if raw.peek(2).startswith(GZIP_MAGIC) else raw
    # A byte that is not UTF-8 spoils its own row, not the whole file: see rows.py.
    return io.TextIOWrapper(
        cast(BinaryIO, binary), encoding="utf-8-sig", errors="surrogateescape", newline=""
    )


@contextmanager
def _reporting(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UnreadableFile(
            f"{name}: the gzip file is damaged or cut off; fetch it again"
        ) from None
    except OSError as error:
        raise UnreadableFile(f"{name} cannot be read: {error.strerror}") from None


def _reported(records: Records, name: str) -> Records:
    with _reporting(name):
        yield from records


def _detect(head: str, name: str) -> str:
    """The format of a file that begins with head."""
    start = head.lstrip()
    if not start:
        raise UnreadableFile(f"{name} is empty; export the calls again")
    first, _, more = start.partition("\n")
    if start[0] == "[":
        return "twilio-json"
    if start[0] == "{":
        return _detect_json(first.rstrip(), is_whole=bool(more))
    if _csv_header(first)[1]:
        return "twilio-csv"
    raise UnreadableFile(
        f"{name} is neither JSON nor a CSV call log in UTF-8; see --help for the formats"
    )


def _detect_json(first: str, *, is_whole: bool) -> str:
    """Told from the first line, or as much of it as was read."""
    if re.search(r'"calls"\s*:\s*\[', first):
        return "twilio-json"
    return "jsonl" if first.endswith("}") or not is_whole else "twilio-json"


class JsonText:
    """A window on a JSON text of any length."""

    def __init__(self, head: str, stream: TextIO) -> None:
        self._stream = stream
        self._text = head
        self._at = 0
        self._rows = 0
        self._decode = json.JSONDecoder(strict=False).raw_decode

    def records(self) -> Records:
        """Every element of every list, and every object that is no page of a list."""
        while char := self._peek():
            if char == "[":
                yield from self._list()
            elif char == "{":
                yield from self._object()
            else:
                raise self._damaged("text between two lists")

    def _list(self) -> Records:
        self._take("[")
        while self._peek() != "]":
            self._rows += 1
            yield self._rows, self._value()
            if self._peek() != "]":
                self._take(",")
        self._take("]")

    def _object(self) -> Records:
        """A page is gone through key by key, since its list of calls may be endless."""
        self._take("{")
        record: dict[Any, Any] = {}
        is_page = False
        while self._peek() != "}":
            key = self._value()
            self._take(":")
            if key == "calls" and self._peek() == "[":
                is_page = True
                yield from self._list()
            else:
                record[key] = self._value()
            if self._peek() != "}":
                self._take(",")
        self._take("}")
        if not is_page:
            self._rows += 1
            yield self._rows, record

    def _peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in " \t\r\n":
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if not self._read_on():
                return ""

    def _take(self, char: str) -> None:
        if (found := self._peek()) != char:
            raise self._damaged(f"{found!r} where {char!r} should be" if found else "it ends")
        self._at += 1

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                reason = getattr(error, "msg", "a value that no program should write")
                if len(self._text) - self._at > LONGEST_RECORD:
                    reason = f"{reason}, or a value of more than {LONGEST_RECORD} characters"
                elif self._read_on():
                    continue
                raise self._damaged(reason) from None
            if end == len(self._text) and self._read_on():
                continue  # a number may go on in the next piece
            self._at = end
            return value

    def _read_on(self) -> bool:
        """Read another piece; False at the end. Grows with what waits, so that is not re-read."""
        waiting = self._text[self._at :]
        piece = self._stream.read(max(PIECE, len(waiting)))
        self._text, self._at = waiting + piece, 0
        return bool(piece)

    def _damaged(self, reason: str) -> UnreadableFile:
        return UnreadableFile(
            f"the JSON is damaged or cut off at call {self._rows or 1}: {reason}."
            " The calls before it were read; repair or fetch the file, then import it again"
        )


def _lines(head: str, stream: TextIO) -> Iterator[str]:
    """Lines with their ends. What exceeds LONGEST_RECORD in one is left out of it."""
    *whole, line = list(io.StringIO(head, newline="")) or [""]
    yield from whole
    if not line.endswith("\n"):
        line += stream.readline(LONGEST_RECORD)
    while line:
        yield line
        while len(line) >= LONGEST_RECORD and not line.endswith("\n"):
            line = stream.readline(LONGEST_RECORD)
        line = stream.readline(LONGEST_RECORD)


def _read_json_lines(head: str, stream: TextIO) -> Records:
    for row, line in enumerate(_lines(head, stream), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, strict=False)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "a value that no program should write")
            if len(line) >= LONGEST_RECORD:
                reason = f"longer than {LONGEST_RECORD} characters"
            record = Rejected(f"is no JSON object on one line ({reason}); write it again")
        yield row, record


def _csv_header(line: str) -> tuple[str, dict[str, int]]:
    """The delimiter of a header line, and where the columns are that we know."""

    def known(delimiter: str) -> dict[str, int]:
        names: list[str] = []
        with suppress(csv.Error):
            names = next(csv.reader([line], delimiter=delimiter), [])
        columns: dict[str, int] = {}
        for place, name in enumerate(names):
            if column := CSV_COLUMNS.get(re.sub("[^a-z]", "", name.lower())):
                columns.setdefault(column, place)
        return columns

    found = {delimiter: known(delimiter) for delimiter in ",;\t"}
    best = max(found, key=lambda delimiter: len(found[delimiter]))
    return best, found[best]


def _read_csv(head: str, stream: TextIO) -> Records:
    lines = _lines(head, stream)
    header = next(lines, "")
    delimiter, columns = _csv_header(header)
    missing = [name for column, name in CSV_NEEDED.items() if column not in columns]
    if not CSV_TIMES & columns.keys():
        missing.append("Start Time")
    if missing:
        raise UnreadableFile(
            f"the first line of the CSV names no column {', '.join(missing)}; export it again"
        )
    return _csv_records(csv.reader(lines, delimiter=delimiter, strict=True), columns)


def _csv_records(rows: Any, columns: dict[str, int]) -> Records:
    """rows is a csv.reader behind the header line."""
    names, pick = list(columns), itemgetter(*columns.values())
    width = max(columns.values()) + 1
    while True:
        row = rows.line_num + 2
        try:
            values = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            if str(error) == "unexpected end of data":
                raise UnreadableFile(
                    f"the quote that opens in line {row} is never closed, so nothing from there"
                    " on was read; repair that line and import the file again"
                ) from None
            yield row, Rejected(f"{_span(row, rows)} no CSV row ({error}); repair the quotes")
            continue
        if "null" in values:
            values = ["" if value == "null" else value for value in values]
        if not any(values):
            continue
        if len(values) < width:
            fields = f"{len(values)} fields where {width} should be"
            yield row, Rejected(f"{_span(row, rows)} no call: {fields}; complete the row")
            continue
        yield row, dict(zip(names, pick(values), strict=True))


def _span(row: int, rows: Any) -> str:
    """Says how many lines a row took: a quote too many takes those after it along."""
    last = rows.line_num + 1
    return "is" if last == row else f"is, up to line {last},"


READERS: dict[str, Callable[[str, TextIO], Records]] = {
    "twilio-json": lambda head, stream: JsonText(head, stream).records(),
    "twilio-csv": _read_csv,
    "jsonl": _read_json_lines,
}
