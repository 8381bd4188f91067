"""One row of `calls`, or one leg, from one record of a file, or the reason why not.

A record is Twilio's Call resource (https://www.twilio.com/docs/voice/api/call-resource) or an
object with our columns; the CSV reader uses the names of the former.
"""

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings

from calls.claims import claimed_sid, split_claim
from calls.intake.directions import is_outbound
from calls.intake.imports.leg_rows import Leg, as_parameter, refuse_parts_of_calls, word_of_leg
from calls.intake.imports.line_directory import LineDirectory
from calls.intake.imports.record_fields import (
    MAX_CALLER_LENGTH,
    MAX_SUMMARY_LENGTH,
    MAX_TRANSCRIPT_LENGTH,
    PARENT_COLUMNS,
    Rejected,
    confidence_field,
    object_field,
    parent_field,
    seconds_field,
    shown,
    sid_field,
    status_field,
    tags_field,
    text_field,
    url_field,
    word_field,
)
from calls.intake.imports.rows import Row
from calls.intake.imports.times import BadTime, TimeReader
from calls.intake.sids import ACCOUNT_SID, one_account
from calls.models import CallStatus
from tenants.addresses import Spoilt, caller_of, stored_caller_of

MAX_UNKNOWN_COLUMNS = 100
OWN_COLUMNS = frozenset(Row._fields) - {"row"} | {"number", "line", *PARENT_COLUMNS}
OWN_COLUMNS_OF_LEGS = frozenset({"direction", "to", "ended_at"})


class RowReader:
    """Turns records into rows and legs. unknown_columns collects the columns that it ignores."""

    def __init__(self, *, lines: LineDirectory, times: TimeReader) -> None:
        self._lines = lines
        self._times = times
        self.unknown_columns: set[str] = set()

    def read(self, row: int, record: Any) -> Row | Leg:
        """Raises Rejected. row is the record's number in its file, for reports."""
        if isinstance(record, Rejected):
            raise record
        if not isinstance(record, dict):
            raise Rejected("not a JSON object: expected one object per call")
        if "sid" in record:
            sid = sid_field(record["sid"], "sid")
            if parent := parent_field(record, sid):
                return self._leg_from_twilio(row, sid, parent, record)
            return self._from_twilio(row, sid, record)
        given, claimant = record.get("call_sid"), None
        if isinstance(given, str):
            given, claimant = split_claim(given)
        sid = sid_field(given, "call_sid")
        if parent := parent_field(record, sid):
            return self._leg_from_own(row, sid, parent, record)
        call = self._from_own(row, sid, record)
        return call if claimant is None else self._as_claim(call, claimant)

    def _from_twilio(self, row: int, sid: str, record: dict[str, Any]) -> Row:
        theirs, ours = (
            text_field(record, "from", MAX_CALLER_LENGTH),
            text_field(record, "to", MAX_CALLER_LENGTH),
        )
        began = self._beginning(record)
        if direction := self._direction(record):
            inbound = not is_outbound(direction)
        else:
            inbound = self._lines.find(ours or "", began) is not None
        if not inbound:
            theirs, ours = ours, theirs
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

    def _from_own(self, row: int, sid: str, record: dict[str, Any]) -> Row:
        of_legs = {name for name in OWN_COLUMNS_OF_LEGS if not record.get(name)}
        self._note_unknown_columns(record.keys() - OWN_COLUMNS - of_legs)
        began = self._time(record, "created_at")
        phone_id = self._own_line(record, began)
        status, word = status_field(record.get("status"))
        given = text_field(record, "provider_status", MAX_CALLER_LENGTH)
        caller = text_field(record, "caller_number", MAX_CALLER_LENGTH)
        return Row(
            row=row,
            phone_id=phone_id,
            caller_number=self._caller(caller, phone_id, "caller_number", read=stored_caller_of),
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

    @staticmethod
    def _as_claim(call: Row, claimant: str) -> Row:
        """A call of our own export that the provider had not confirmed; nor does the file."""
        if call.phone_id != claimant:
            raise Rejected("call_sid was claimed by another line than the row's; remove the row")
        return call._replace(call_sid=claimed_sid(call.call_sid, claimant))

    def _leg_from_twilio(self, row: int, sid: str, parent: str, record: dict[str, Any]) -> Leg:
        refuse_parts_of_calls(record)
        _, word = status_field(record.get("status"))
        account = text_field(record, "account_sid", MAX_CALLER_LENGTH) or ""
        # The installation's own account reports the calls of every line.
        is_of_lines = ACCOUNT_SID.fullmatch(account) and account != settings.TWILIO_ACCOUNT_SID
        return self._leg(
            row,
            record,
            phone_id=None,
            CallSid=sid,
            ParentCallSid=parent,
            AccountSid=one_account(account) if is_of_lines else None,
            CallStatus=word,
            StartTime=as_parameter(self._beginning(record)),
            EndTime=self._end(record, "end_time"),
        )

    def _leg_from_own(self, row: int, sid: str, parent: str, record: dict[str, Any]) -> Leg:
        self._note_unknown_columns(record.keys() - OWN_COLUMNS - OWN_COLUMNS_OF_LEGS)
        refuse_parts_of_calls(record)
        began = self._time(record, "created_at")
        phone_id = self._own_line(record, began)
        _, word = status_field(record.get("status"))
        given = text_field(record, "provider_status", MAX_CALLER_LENGTH)
        return self._leg(
            row,
            record,
            phone_id=phone_id,
            CallSid=sid,
            ParentCallSid=parent,
            CallStatus=word_of_leg(word, given),
            StartTime=as_parameter(began),
            EndTime=self._end(record, "ended_at"),
        )

    def _leg(
        self, row: int, record: dict[str, Any], *, phone_id: str | None, **parameters: str | None
    ) -> Leg:
        seconds = seconds_field(record.get("duration"))
        to = text_field(record, "to", MAX_CALLER_LENGTH)
        of_both = {
            "CallDuration": None if record.get("duration") in (None, "") else str(seconds),
            "Direction": self._direction(record),
            "To": self._caller(to, phone_id, "to") if to else None,
            "RecordingUrl": url_field(record),
        }
        return Leg.read(row, phone_id, parameters | of_both)

    def _note_unknown_columns(self, unknown: set[str]) -> None:
        if unknown and len(self.unknown_columns) < MAX_UNKNOWN_COLUMNS:
            self.unknown_columns |= unknown

    def _direction(self, record: dict[str, Any]) -> str:
        """The provider's word, or "" where there is none."""
        direction = word_field(record.get("direction"))
        if direction and is_outbound(direction) is None:
            raise Rejected(
                f"direction {shown(direction)} is unknown: expected inbound or outbound-api"
            )
        return direction

    def _line(self, number: str | None, column: str, began: str) -> str:
        if not number:
            raise Rejected(f"{column} is empty: expected the number of the line")
        phone_id = self._lines.find(number, began)
        if phone_id is None and self._lines.holdings(number):
            raise Rejected(
                f"{column}: no line of today had the number {shown(number)} when the call began;"
                " give the row our own columns with the line's phone_id, or remove it"
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

    def _caller(
        self,
        text: str | None,
        phone_id: str | None,
        column: str,
        read: Callable[[str, str | None], str] = caller_of,
    ) -> str:
        try:
            return read(text or "", phone_id and self._lines.region(phone_id))
        except Spoilt as reason:
            raise Rejected(f"{column} {shown(text)} {reason}") from None

    def _beginning(self, record: dict[str, Any]) -> str:
        return self._time(record, "start_time" if record.get("start_time") else "date_created")

    def _end(self, record: dict[str, Any], column: str) -> str | None:
        return as_parameter(self._time(record, column)) if record.get(column) else None

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
