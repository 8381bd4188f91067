"""One row of `calls` out of one record of a file, or the reason why not.

A record is Twilio's Call resource (https://www.twilio.com/docs/voice/api/call-resource) or an
object of our own columns; the CSV reader hands on its columns under the former's names.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from calls.intake.numbers import Lines, caller_number
from calls.intake.statuses import our_status, provider_word
from calls.intake.times import BadTime, TimeReader
from calls.models import CallStatus

# Characters. A row beyond them is no call but a mistake, or an attack on the admin's pages.
LONGEST_TRANSCRIPT = 1_000_000
LONGEST_SUMMARY = 100_000
LONGEST_URL = 2_048
LONGEST_CALLER = 256
LONGEST_OBJECT = 100_000
LONGEST_TAG = 100
MOST_TAGS = 100
MOST_UNKNOWN_COLUMNS = 100
LONGEST_DURATION = 2**31 - 1  # seconds; what the column holds

_SID = re.compile(r"[!-~]{1,64}")
_URL = re.compile(r"https?://[!-~]+")
_WHOLE = re.compile(r"[0-9]{1,10}")
# An escaped NUL in JSON text, which jsonb refuses; an even number of backslashes escapes itself.
_ESCAPED_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")


class Rejected(Exception):
    """A row that cannot be loaded; the message says what to do about it."""


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
        """Of free text, which makes one row weigh more than another."""
        texts = (self.transcript, self.ai_summary, self.metadata, self.custom_fields)
        return sum(map(len, filter(None, texts)))

    def has_metadata(self) -> bool:
        return any(part is not None for part in (self.metadata, self.tags, self.custom_fields))


OWN_COLUMNS = frozenset(Row._fields) - {"row"} | {"number"}


def call_sid_of(record: Any) -> str:
    """The record's call SID for a report, or an empty text when it has none that can be shown."""
    if not isinstance(record, dict):
        return ""
    sid = record.get("sid") or record.get("call_sid")
    return sid if isinstance(sid, str) and _SID.fullmatch(sid) else ""


class RowReader:
    """Turns records into rows. unknown_columns collects what it knows no place for."""

    def __init__(self, *, lines: Lines, times: TimeReader) -> None:
        self._lines = lines
        self._times = times
        self.unknown_columns: set[str] = set()

    def read(self, row: int, record: Any) -> Row:
        """Raises Rejected. row is the record's place in its file, for reports."""
        if isinstance(record, Rejected):
            raise record
        if not isinstance(record, dict):
            raise Rejected("is no JSON object; write one object per call")
        return self._from_twilio(row, record) if "sid" in record else self._from_own(row, record)

    def _from_twilio(self, row: int, record: dict[str, Any]) -> Row:
        sid = _sid(record["sid"], "sid")
        direction = _word(record.get("direction"))
        theirs, ours = _text(record, "from", LONGEST_CALLER), _text(record, "to", LONGEST_CALLER)
        if not direction:
            inbound = self._lines.find(ours or "") is not None
        else:
            inbound = _is_inbound(direction)
        if not inbound:
            theirs, ours = ours, theirs
        phone_id = self._line(ours, "to" if inbound else "from")
        status, word = _status(record.get("status"))
        began = "start_time" if record.get("start_time") else "date_created"
        return Row(
            row=row,
            phone_id=phone_id,
            caller_number=self._caller(theirs, phone_id),
            call_sid=sid,
            status=status,
            provider_status=word,
            duration=_duration(record.get("duration")),
            recording_url=_url(record),
            transcript=None,
            ai_summary=None,
            ai_confidence=None,
            created_at=self._time(record, began),
            # `calls` has no column for it, and a call that the line made is the exception.
            metadata=None if inbound else json.dumps({"direction": direction or "outbound"}),
            tags=None,
            custom_fields=None,
        )

    def _from_own(self, row: int, record: dict[str, Any]) -> Row:
        unknown = record.keys() - OWN_COLUMNS
        if unknown and len(self.unknown_columns) < MOST_UNKNOWN_COLUMNS:
            self.unknown_columns |= unknown
        sid = _sid(record.get("call_sid"), "call_sid")
        phone_id = self._own_line(record)
        status, word = _status(record.get("status"))
        given = _text(record, "provider_status", LONGEST_CALLER)
        return Row(
            row=row,
            phone_id=phone_id,
            caller_number=self._caller(_text(record, "caller_number", LONGEST_CALLER), phone_id),
            call_sid=sid,
            status=status,
            provider_status=given or (None if word in CallStatus else word),
            duration=_duration(record.get("duration")),
            recording_url=_url(record),
            transcript=_text(record, "transcript", LONGEST_TRANSCRIPT),
            ai_summary=_text(record, "ai_summary", LONGEST_SUMMARY),
            ai_confidence=_confidence(record.get("ai_confidence")),
            created_at=self._time(record, "created_at"),
            metadata=_object(record, "metadata"),
            tags=_tags(record.get("tags")),
            custom_fields=_object(record, "custom_fields"),
        )

    def _line(self, number: str | None, column: str) -> str:
        if not number:
            raise Rejected(f"{column} is empty; give the number of the line")
        phone_id = self._lines.find(number)
        if phone_id is None:
            raise Rejected(
                f"{column}: no line has the number {_shown(number)};"
                " add the line in the admin and import the file again, or leave the row out"
            )
        return phone_id

    def _own_line(self, record: dict[str, Any]) -> str:
        phone_id = _text(record, "phone_id", LONGEST_CALLER)
        number = _text(record, "number", LONGEST_CALLER)
        if phone_id is None and number is None:
            raise Rejected("names no line; give its phone_id or its number")
        if phone_id is not None and phone_id not in self._lines.number_of:
            raise Rejected(
                f"phone_id: no line has the id {_shown(phone_id)};"
                " add the line in the admin and import the file again, or leave the row out"
            )
        if number is not None:
            found = self._line(number, "number")
            if phone_id not in (None, found):
                raise Rejected("phone_id and number name two lines; leave one of them out")
            return found
        assert phone_id is not None
        return phone_id

    def _caller(self, text: str | None, phone_id: str) -> str:
        return caller_number(text or "", self._lines.region(phone_id))

    def _time(self, record: dict[str, Any], column: str) -> str:
        text = record.get(column)
        if not text:
            raise Rejected(f"{column} is missing; give the time at which the call began")
        if not isinstance(text, str):
            raise Rejected(f"{column} is not text; write it like 2026-03-04T05:06:07Z")
        try:
            return self._times.read(text)
        except BadTime as error:
            raise Rejected(f"{column} {error}") from None


def _shown(value: object) -> str:
    """A value of the file inside a reason: on one line and not endless."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_sendable(text: str) -> bool:
    """PostgreSQL has no NUL, and half a surrogate pair is not UTF-8."""
    if "\0" in text:
        return False
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(record: dict[str, Any], column: str, longest: int) -> str | None:
    value = record.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Rejected(f"{column} is not text; put it in quotes")
    if len(value) > longest:
        raise Rejected(f"{column} is longer than {longest} characters; shorten it")
    if not _is_sendable(value):
        raise Rejected(f"{column} holds a NUL or bytes that are not UTF-8; save the file as UTF-8")
    return value


def _word(value: Any) -> str:
    return provider_word(value) if isinstance(value, str) else ""


def _sid(value: Any, column: str) -> str:
    if value is None or value == "":
        raise Rejected(f"{column} is missing; every call needs its call SID")
    if not isinstance(value, str) or not _SID.fullmatch(value):
        raise Rejected(f"{column} is no call SID: at most 64 letters and digits, no spaces")
    return value


def _is_inbound(direction: str) -> bool:
    """Of Twilio's words and the console's: inbound, outbound-api, outbound-dial, Incoming, …"""
    # An originating trunk brings calls to us, a terminating one takes ours to the public network.
    if direction in ("inbound", "incoming", "trunking-originating"):
        return True
    if direction.startswith(("outbound", "outgoing")) or direction == "trunking-terminating":
        return False
    raise Rejected(f"direction {_shown(direction)} is unknown; write inbound or outbound-api")


def _status(value: Any) -> tuple[CallStatus, str]:
    """Our status and the provider's word."""
    if not value:
        raise Rejected("status is missing; give the provider's word, such as completed")
    status = our_status(value) if isinstance(value, str) else None
    if status is None:
        raise Rejected(
            f"status {_shown(value)} is unknown; write a word such as completed or busy"
        )
    return status, provider_word(value)


def _duration(value: Any) -> int:
    """Seconds. Calls that never began have none."""
    if value is None or value == "":
        return 0
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LONGEST_DURATION:
        return value
    raise Rejected(
        f"duration {_shown(value)} is no number of seconds; write a whole one from 0 up"
    )


def _confidence(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        confidence = Decimal(str(value))
    except InvalidOperation:
        confidence = Decimal(-1)
    # A NaN is in no range; True would be read as a number by what follows.
    if isinstance(value, bool) or confidence.is_nan() or not 0 <= confidence <= 1:
        raise Rejected(
            f"ai_confidence {_shown(value)} is out of range; write a number from 0 to 1"
        )
    return confidence


def _url(record: dict[str, Any]) -> str | None:
    url = _text(record, "recording_url", LONGEST_URL)
    if url is not None and not _URL.fullmatch(url):
        raise Rejected("recording_url is no web address; it begins with https://")
    return url


def _object(record: dict[str, Any], column: str) -> str | None:
    """The JSON text of an object column."""
    value = record.get(column)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Rejected(f"{column} is no JSON object; write {{…}}")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        raise Rejected(
            f"{column} holds what JSON cannot; remove NaN, Infinity, bad text"
        ) from None
    if _ESCAPED_NUL.search(text):
        raise Rejected(f"{column} holds a NUL; remove it")
    if len(text) > LONGEST_OBJECT:
        raise Rejected(f"{column} is longer than {LONGEST_OBJECT} characters; shorten it")
    return text


def _tags(value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MOST_TAGS or not all(map(_is_tag, value)):
        raise Rejected(
            f"tags is no list of at most {MOST_TAGS} texts of at most {LONGEST_TAG} characters;"
            ' write ["billing", "urgent"]'
        )
    return value


def _is_tag(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TAG and _is_sendable(value)
