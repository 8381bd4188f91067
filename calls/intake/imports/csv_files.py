"""Calls in CSV: the call log that Twilio's console exports."""

import csv
import re
from contextlib import suppress
from operator import itemgetter
from typing import Any, TextIO

from calls.intake.imports.record_fields import Rejected
from calls.intake.imports.streams import Records, UnreadableFile, lines_of

# The console's headers, past and present, without their capitals and spaces; and the names that
# the Call resource gives to the same things.
COLUMNS = {
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
NEEDED = {"sid": "Call Sid", "from": "From", "to": "To", "status": "Status"}
TIMES = {"start_time", "date_created"}


def read_header(line: str) -> tuple[str, dict[str, int]]:
    """The delimiter of a header line, and where the columns are that we know."""

    def known(delimiter: str) -> dict[str, int]:
        names: list[str] = []
        with suppress(csv.Error):
            names = next(csv.reader([line], delimiter=delimiter), [])
        columns: dict[str, int] = {}
        for place, name in enumerate(names):
            if column := COLUMNS.get(re.sub("[^a-z]", "", name.lower())):
                columns.setdefault(column, place)
        return columns

    found = {delimiter: known(delimiter) for delimiter in ",;\t"}
    best = max(found, key=lambda delimiter: len(found[delimiter]))
    return best, found[best]


def read_csv(head: str, stream: TextIO) -> Records:
    lines = lines_of(head, stream)
    header = next(lines, "")
    delimiter, columns = read_header(header)
    missing = [name for column, name in NEEDED.items() if column not in columns]
    if not TIMES & columns.keys():
        missing.append("Start Time")
    if missing:
        raise UnreadableFile(
            f"the first line of the CSV names no column {', '.join(missing)}; export it again"
        )
    return _records(csv.reader(lines, delimiter=delimiter, strict=True), columns)


def _records(rows: Any, columns: dict[str, int]) -> Records:
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
