"""Calls in CSV: the call log that Twilio's console exports, and our own export of calls."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TextIO

from backoffice.exporting import text_of_cell
from calls.intake.imports import streams
from calls.intake.imports.json_values import DECODER
from calls.intake.imports.record_fields import Rejected
from calls.intake.imports.streams import Records, UnreadableFile, lines_of

# The console's headers, past and present, in lower case without spaces; and the names of the same
# fields in the Call resource.
CONSOLE_COLUMNS = {
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
    "parentcallsid": "parent_call_sid",
    "endtime": "end_time",
    "endtimeutc": "end_time",
    "accountsid": "account_sid",
}
# Those of our own export (calls.admin.actions.COLUMNS), those of legs, and what people call them.
OWN_COLUMNS = {
    "callsid": "call_sid",
    "phoneid": "phone_id",
    "line": "line",
    "number": "number",
    "linenumber": "number",
    "callernumber": "caller_number",
    "caller": "caller_number",
    "status": "status",
    "providerstatus": "provider_status",
    "duration": "duration",
    "seconds": "duration",
    "durationseconds": "duration",
    "createdat": "created_at",
    "createdatutc": "created_at",
    "started": "created_at",
    "startedutc": "created_at",
    "localtime": "local_time",
    "recordingurl": "recording_url",
    "recording": "recording_url",
    "transcript": "transcript",
    "aisummary": "ai_summary",
    "summary": "ai_summary",
    "aiconfidence": "ai_confidence",
    "confidence": "ai_confidence",
    "tags": "tags",
    "metadata": "metadata",
    "customfields": "custom_fields",
    "parentcallsid": "parent_call_sid",
    "direction": "direction",
    "to": "to",
    "endedat": "ended_at",
    "endedatutc": "ended_at",
}
# Each is needed, or another of the same line of the table.
NEEDED_OF_CONSOLE = {
    "sid": "Call Sid",
    "from": "From",
    "to": "To",
    "status": "Status",
    "start_time date_created": "Start Time",
}
NEEDED_OF_OURS = {
    "call_sid": "call_sid",
    "phone_id line number": "phone_id",
    "caller_number": "caller_number",
    "status": "status",
    "created_at local_time": "created_at",
}
# Excel writes the delimiter of a file above its header.
DELIMITER_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Header:
    """What the first line says; columns are the positions of the known ones."""

    delimiter: str
    columns: Mapping[str, int]
    repeated: list[str]
    missing: list[str]
    is_ours: bool


def read_header(line: str, delimiters: str = ",;\t") -> Header:
    """The reading of a header line that knows most of its columns."""
    found = [
        _header(line, delimiter, *kind)
        for delimiter in delimiters
        for kind in ((CONSOLE_COLUMNS, NEEDED_OF_CONSOLE), (OWN_COLUMNS, NEEDED_OF_OURS))
    ]
    return max(found, key=lambda header: (len(header.columns), -len(header.missing)))


def _header(
    line: str, delimiter: str, known: Mapping[str, str], needed: Mapping[str, str]
) -> Header:
    names: list[str] = []
    with suppress(csv.Error):
        names = next(csv.reader([line], delimiter=delimiter), [])
    fields = [known.get(re.sub("[^a-z]", "", name.lower())) for name in names]
    columns = {field: position for position, field in enumerate(fields) if field}
    times = Counter(field for field in fields if field)
    return Header(
        delimiter=delimiter,
        columns=columns,
        repeated=[
            name.strip()
            for name, field in zip(names, fields, strict=True)
            if field and times[field] > 1
        ],
        missing=[name for any_of, name in needed.items() if not columns.keys() & any_of.split()],
        is_ours=known is OWN_COLUMNS,
    )


def read_csv(head: str, stream: TextIO, warnings: list[str]) -> Records:
    lines = lines_of(head, stream)
    first, delimiters, above = next(lines, ""), ",;\t", 1
    if named := DELIMITER_LINE.fullmatch(first):
        first, delimiters, above = next(lines, ""), named[1], 2
    header = read_header(first, delimiters)
    if header.missing:
        raise UnreadableFile(
            f"the first line of the CSV has no column {', '.join(header.missing)}; export it again"
        )
    if header.repeated:
        raise UnreadableFile(
            f"the columns {', '.join(map(repr, header.repeated))} of the CSV are the same field;"
            " remove all but one of them"
        )
    # Python's own limit is shorter than a transcript may be.
    csv.field_size_limit(streams.MAX_RECORD_LENGTH)
    rows = csv.reader(lines, delimiter=header.delimiter, strict=True)
    return _records(
        rows, header.columns, above, _own_record if header.is_ours else _console_record
    )


def _console_record(record: dict[str, str]) -> dict[str, Any]:
    return {name: "" if value == "null" else value for name, value in record.items()}


def _own_record(record: dict[str, str]) -> dict[str, Any]:
    """Raises Rejected."""
    call: dict[str, Any] = {name: text_of_cell(value) for name, value in record.items()}
    local = call.pop("local_time", None)
    if "created_at" not in record:
        call["created_at"] = local
    for name in ("metadata", "custom_fields"):
        if name in call:
            call[name] = _json(name, call[name]) if call[name] else None
    if tags := call.get("tags", "").strip():
        separator = ";" if ";" in tags else ","
        parts = [part.strip() for part in tags.split(separator)]
        call["tags"] = _json("tags", tags) if tags.startswith("[") else list(filter(None, parts))
    else:
        call["tags"] = None
    return call


def _json(name: str, text: str) -> Any:
    try:
        return DECODER.decode(text.strip())
    except (ValueError, RecursionError):
        raise Rejected(f"{name} is not valid JSON; correct it") from None


def _records(
    rows: Any,
    columns: Mapping[str, int],
    above: int,
    convert: Callable[[dict[str, str]], dict[str, Any]],
) -> Records:
    """rows is a csv.reader behind the `above` lines of the header."""
    names, pick = list(columns), itemgetter(*columns.values())
    width = max(columns.values()) + 1
    while True:
        row = rows.line_num + above + 1
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
            span = _span(row, rows.line_num + above)
            yield row, Rejected(f"not a CSV row{span}: {error}; repair the quotes")
            continue
        if not any(values):
            continue
        if len(values) < width:
            span = _span(row, rows.line_num + above)
            found = f"found {len(values)} fields, expected {width}"
            yield row, Rejected(f"not a call{span}: {found}; complete the row")
            continue
        try:
            yield row, convert(dict(zip(names, pick(values), strict=True)))
        except Rejected as reason:
            yield row, reason


def _span(row: int, last: int) -> str:
    """The last line of a row of several lines: a stray quote includes those after it."""
    return "" if last == row else f" (up to line {last})"
