"""The values of a record, checked one by one: each function returns one or raises Rejected."""

import re
import reprlib
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from calls.intake.sids import CALL_SID_OF_FILE
from calls.intake.statuses import our_status, provider_word
from calls.models import CallStatus
from database import exact_json
from database.storable import is_storable

# Characters. A longer value is a mistake, or an attack on the admin's pages.
MAX_TRANSCRIPT_LENGTH = 1_000_000
MAX_SUMMARY_LENGTH = 100_000
MAX_URL_LENGTH = 2_048
MAX_CALLER_LENGTH = 256
MAX_OBJECT_LENGTH = 100_000
MAX_TAG_LENGTH = 100
MAX_TAGS = 100
MAX_DURATION = 2**31 - 1  # seconds; what the column holds

_URL = re.compile(r"https?://[!-~]+")
# As the provider's API, its libraries and its callbacks spell it.
PARENT_COLUMNS = ("parent_call_sid", "parentCallSid", "ParentCallSid")
# Spreadsheets add the comma of thousands and the fraction of 0.
_WHOLE = re.compile(r"([0-9]{1,10}|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.0+)?")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):(?=[0-5][0-9]:))?([0-9]{1,5}):([0-5][0-9])")
# An escaped NUL in JSON text, which jsonb refuses; an even number of backslashes escapes itself.
_ESCAPED_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")


class Rejected(Exception):
    """A row that cannot be loaded; the message is the reason and what to do."""


def call_sid_of(record: Any) -> str:
    """The record's call SID for the report, or "" when it has none that can be shown."""
    if not isinstance(record, dict):
        return ""
    sid = record.get("sid") or record.get("call_sid")
    return sid if isinstance(sid, str) and CALL_SID_OF_FILE.fullmatch(sid) else ""


_SHORT = reprlib.Repr()
_SHORT.maxstring = 60


def shown(value: object) -> str:
    """A value of the file for a reason: one line, shortened, however deep it is."""
    return (str(value) if isinstance(value, Decimal) else _SHORT.repr(value))[:80]


def text_field(record: dict[str, Any], column: str, max_length: int) -> str | None:
    value = record.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Rejected(f"{column} is not text; put it in quotes")
    if len(value) > max_length:
        raise Rejected(f"{column} is longer than {max_length} characters; shorten it")
    if not is_storable(value):
        raise Rejected(f"{column} has a NUL or bytes that are not UTF-8; save the file as UTF-8")
    return value


def word_field(value: Any) -> str:
    return provider_word(value) if isinstance(value, str) else ""


def sid_field(value: Any, column: str) -> str:
    if value is None or value == "":
        raise Rejected(f"{column} is missing; every call needs its call SID")
    if not isinstance(value, str) or not CALL_SID_OF_FILE.fullmatch(value):
        raise Rejected(
            f"{column} is not a call SID: expected at most 64 characters without spaces"
        )
    return value


def parent_field(record: dict[str, Any], sid: str) -> str | None:
    """The SID of the call that the record is a leg of; None for a call, which may name itself."""
    given = [record[name] for name in PARENT_COLUMNS if record.get(name) not in (None, "")]
    if not given:
        return None
    if len(given) > 1:
        raise Rejected("parent_call_sid is given in two columns; remove one of them")
    parent = sid_field(given[0], "parent_call_sid")
    return None if parent == sid else parent


def status_field(value: Any) -> tuple[CallStatus, str]:
    """Our status and the provider's word."""
    if not value:
        raise Rejected("status is missing: expected a value such as completed")
    status = our_status(value) if isinstance(value, str) else None
    if status is None:
        raise Rejected(
            f"status {shown(value)} is unknown: expected a value such as completed or busy"
        )
    return status, provider_word(value)


def seconds_field(value: Any) -> int:
    """Seconds. Calls that never began have none."""
    if value is None or value == "":
        return 0
    seconds = _seconds(value)
    if seconds is not None and 0 <= seconds <= MAX_DURATION:
        return seconds
    raise Rejected(
        f"duration {shown(value)} is not a number of seconds: expected a whole number, or 1:05"
    )


def _seconds(value: Any) -> int | None:
    """65 of 65, 65.0, "65", "65.0" and "1:05", and 1065 of "1,065"."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return int(value) if value == int(value) else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    if whole := _WHOLE.fullmatch(text):
        return int(whole[1].replace(",", ""))
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return hours * 3600 + minutes * 60 + seconds
    return None


def confidence_field(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        confidence = Decimal(str(value))
    except InvalidOperation:
        confidence = Decimal(-1)
    # NaN compares with nothing; True would pass as a number.
    if isinstance(value, bool) or confidence.is_nan() or not 0 <= confidence <= 1:
        raise Rejected(f"ai_confidence {shown(value)} is invalid: expected a number from 0 to 1")
    return confidence


def url_field(record: dict[str, Any]) -> str | None:
    url = text_field(record, "recording_url", MAX_URL_LENGTH)
    if url is not None and not _URL.fullmatch(url):
        raise Rejected("recording_url is not a URL: expected https://…")
    return url


def object_field(record: dict[str, Any], column: str) -> str | None:
    """The JSON text of an object column."""
    value = record.get(column)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Rejected(f"{column} is not a JSON object: expected {{…}}")
    try:
        text = exact_json.dumps(value, ensure_ascii=False, allow_nan=False, default=_refuse)
        text.encode()
    except (ValueError, RecursionError):
        raise Rejected(
            f"{column} is not valid JSON; remove NaN, Infinity and invalid text"
        ) from None
    if _ESCAPED_NUL.search(text):
        raise Rejected(f"{column} has a NUL character; remove it")
    if len(text) > MAX_OBJECT_LENGTH:
        raise Rejected(f"{column} is longer than {MAX_OBJECT_LENGTH} characters; shorten it")
    return text


def _refuse(value: Any) -> NoReturn:
    """For what json_values rejects inside of an object."""
    assert isinstance(value, Rejected)
    raise value


def tags_field(value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_TAGS or not all(map(_is_tag, value)):
        raise Rejected(
            f"tags is invalid: expected at most {MAX_TAGS} strings of at most {MAX_TAG_LENGTH}"
            ' characters, such as ["billing", "urgent"]'
        )
    return value


def _is_tag(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TAG_LENGTH and is_storable(value)
