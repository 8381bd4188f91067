"""Calls in CSV: the call log that Twilio's console exports."""

import csv
import re
from contextlib import suppress
from operator import itemgetter
from typing import Any, TextIO

from calls.intake.imports.record_fields import Rejected
from calls.intake.imports.streams import Records, UnreadableFile, lines_of

# The console's headers, past and present, in lower case without spaces; and the names of the same
# fields in the Call resource.
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
    """The delimiter of a header line, and the positions of the known columns."""

    def known(delimiter: str) -> dict[str, int]:
        names: list[str] = []
        with suppress(csv.Error):
            names = next(csv.reader([line], delimiter=delimiter), [])
        columns: dict[str, int] = {}
        for position, name in enumerate(names):
            if column := COLUMNS.get(re.sub("[^a-z]", "", name.lower())):
                columns.setdefault(column, position)
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
            f"the first line of the CSV has no column {', '.join(missing)}; export it again"
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
                    f"the quote opened on line {row} is never closed, so nothing after it was"
                    " read; repair that line and import the file again"
                ) from None
            yield row, Rejected(f"not a CSV row{_span(row, rows)}: {error}; repair the quotes")
            continue
        if "null" in values:
            values = ["" if value == "null" else value for value in values]
        if not any(values):
            continue
        if len(values) < width:
            found = f"found {len(values)} fields, expected {width}"
            yield row, Rejected(f"not a call{_span(row, rows)}: {found}; complete the row")
            continue
        yield row, dict(zip(names, pick(values), strict=True))


def _span(row: int, rows: Any) -> str:
    """The last line of a row of several lines: a stray quote includes those after it."""
    last = rows.line_num + 1
    return "" if last == row else f" (up to line {last})"
