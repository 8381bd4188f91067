"""One row of `calls` from one record of a file, or the reason why not.

A record is Twilio's Call resource (https://www.twilio.com/docs/voice/api/call-resource) or an
object with our columns; the CSV reader uses the names of the former.
"""

import json
from decimal import Decimal
from typing import Any, NamedTuple

from calls.intake.directions import is_outbound
from calls.intake.imports.line_directory import LineDirectory
from calls.intake.imports.record_fields import (
    MAX_CALLER_LENGTH,
    MAX_SUMMARY_LENGTH,
    MAX_TRANSCRIPT_LENGTH,
    Rejected,
    confidence_field,
    object_field,
    seconds_field,
    shown,
    sid_field,
    status_field,
    tags_field,
    text_field,
    url_field,
    word_field,
)
from calls.intake.imports.times import BadTime, TimeReader
from calls.models import CallStatus
from database import exact_json
from tenants.addresses import Spoilt, caller_of

MAX_UNKNOWN_COLUMNS = 100


class Row(NamedTuple):
    """A call as it goes into the temporary table, in the order of its columns."""

    row: int
    phone_id: str
    caller_number: str
    call_sid: str
    status: str
    provider_status: str | None
    duration: int
    recording_url: str | None
    transcript: str | None
    ai_summary: str | None
    ai_confidence: Decimal | None
    created_at: str
    metadata: str | None
    tags: list[str] | None
    custom_fields: str | None

    def characters(self) -> int:
        """The number of characters of free text."""
        texts = (self.transcript, self.ai_summary, self.metadata, self.custom_fields)
        return sum(map(len, filter(None, texts)))

    def as_json(self) -> dict[str, Any]:
        """The columns as jsonb_to_recordset() reads them."""
        texts = {name: getattr(self, name) for name in ("metadata", "custom_fields")}
        parsed = {name: exact_json.loads(text) if text else None for name, text in texts.items()}
        return self._asdict() | parsed | {"ai_confidence": self._confidence()}

    def _confidence(self) -> str | None:
        return None if self.ai_confidence is None else str(self.ai_confidence)

    def has_metadata(self) -> bool:
        return any(part is not None for part in (self.metadata, self.tags, self.custom_fields))


OWN_COLUMNS = frozenset(Row._fields) - {"row"} | {"number", "line"}


class RowReader:
    """Turns records into rows. unknown_columns collects the columns that it ignores."""

    def __init__(self, *, lines: LineDirectory, times: TimeReader) -> None:
        self._lines = lines
        self._times = times
        self.unknown_columns: set[str] = set()

    def read(self, row: int, record: Any) -> Row:
        """Raises Rejected. row is the record's number in its file, for reports."""
        if isinstance(record, Rejected):
            raise record
        if not isinstance(record, dict):
            raise Rejected("not a JSON object: expected one object per call")
        return self._from_twilio(row, record) if "sid" in record else self._from_own(row, record)

    def _from_twilio(self, row: int, record: dict[str, Any]) -> Row:
        sid = sid_field(record["sid"], "sid")
        direction = word_field(record.get("direction"))
        theirs, ours = (
            text_field(record, "from", MAX_CALLER_LENGTH),
            text_field(record, "to", MAX_CALLER_LENGTH),
        )
        if not direction:
            inbound = bool(self._lines.holdings(ours or ""))
        else:
            outbound = is_outbound(direction)
            if outbound is None:
                raise Rejected(
                    f"direction {shown(direction)} is unknown: expected inbound or outbound-api"
                )
            inbound = not outbound
        if not inbound:
            theirs, ours = ours, theirs
        began = self._time(record, "start_time" if record.get("start_time") else "date_created")
        phone_id = self._line(ours, "to" if inbound else "from", began)
        status, word = status_field(record.get("status"))
        return Row(
            row=row,
            phone_id=phone_id,
            caller_number=self._caller(theirs, phone_id, "from" if inbound else "to"),
            call_sid=sid,
            status=status,
            provider_status=word,
            duration=seconds_field(record.get("duration")),
            recording_url=url_field(record),
            transcript=None,
            ai_summary=None,
            ai_confidence=None,
            created_at=began,
            # `calls` has no column for the direction, since outgoing calls are rare.
            metadata=None if inbound else json.dumps({"direction": direction or "outbound"}),
            tags=None,
            custom_fields=None,
        )

    def _from_own(self, row: int, record: dict[str, Any]) -> Row:
        unknown = record.keys() - OWN_COLUMNS
        if unknown and len(self.unknown_columns) < MAX_UNKNOWN_COLUMNS:
            self.unknown_columns |= unknown
        sid = sid_field(record.get("call_sid"), "call_sid")
        began = self._time(record, "created_at")
        phone_id = self._own_line(record, began)
        status, word = status_field(record.get("status"))
        given = text_field(record, "provider_status", MAX_CALLER_LENGTH)
        caller = text_field(record, "caller_number", MAX_CALLER_LENGTH)
        return Row(
            row=row,
            phone_id=phone_id,
            caller_number=self._caller(caller, phone_id, "caller_number"),
            call_sid=sid,
            status=status,
            provider_status=given or (None if word in CallStatus else word),
            duration=seconds_field(record.get("duration")),
            recording_url=url_field(record),
            transcript=text_field(record, "transcript", MAX_TRANSCRIPT_LENGTH),
            ai_summary=text_field(record, "ai_summary", MAX_SUMMARY_LENGTH),
            ai_confidence=confidence_field(record.get("ai_confidence")),
            created_at=began,
            metadata=object_field(record, "metadata"),
            tags=tags_field(record.get("tags")),
            custom_fields=object_field(record, "custom_fields"),
        )

    def _line(self, number: str | None, column: str, began: str) -> str:
        if not number:
            raise Rejected(f"{column} is empty: expected the number of the line")
        phone_id = self._lines.find(number, began)
        if phone_id is None and self._lines.holdings(number):
            raise Rejected(
                f"{column}: no line of today had the number {shown(number)} when the call began;"
                " give the line by phone_id, or remove the row"
            )
        if phone_id is None:
            raise Rejected(
                f"{column}: no line has the number {shown(number)};"
                " add the line in the admin and import the file again, or remove the row"
            )
        return phone_id

    def _own_line(self, record: dict[str, Any], began: str) -> str:
        phone_id = text_field(record, "phone_id", MAX_CALLER_LENGTH)
        number = text_field(record, "number", MAX_CALLER_LENGTH)
        if line := text_field(record, "line", MAX_CALLER_LENGTH):
            is_id = line in self._lines.number_of
            phone_id, number = (line, number) if is_id else (phone_id, number or line)
        if phone_id is None and number is None:
            raise Rejected("the line is missing: expected phone_id or number")
        if phone_id is None:
            return self._line(number, "number", began)
        if phone_id not in self._lines.number_of:
            raise Rejected(
                f"phone_id: no line has the id {shown(phone_id)};"
                " add the line in the admin and import the file again, or remove the row"
            )
        if number is not None and phone_id not in self._holders(number):
            self._line(number, "number", began)
            raise Rejected("phone_id and number are of different lines; remove one of them")
        return phone_id

    def _holders(self, number: str) -> set[str | None]:
        """The lines that have or had the number."""
        return {holding.phone_id for holding in self._lines.holdings(number)}

    def _caller(self, text: str | None, phone_id: str, column: str) -> str:
        try:
            return caller_of(text or "", self._lines.region(phone_id))
        except Spoilt as reason:
            raise Rejected(f"{column} {shown(text)} {reason}") from None

    def _time(self, record: dict[str, Any], column: str) -> str:
        text = record.get(column)
        if not text:
            raise Rejected(f"{column} is missing: expected the time at which the call began")
        if not isinstance(text, str):
            raise Rejected(f"{column} is not text: expected a time such as 2026-03-04T05:06:07Z")
        try:
            return self._times.read(text)
        except BadTime as error:
            raise Rejected(f"{column} {error}") from None
