"""Parses callbacks strictly: only values in the expected format are used.

The parameters are Twilio's: https://www.twilio.com/docs/voice/api/call-resource#statuscallback and
https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from calls.intake.directions import is_outbound
from calls.intake.models import EventKind
from calls.intake.sids import (
    ACCOUNT_SID,
    CALL_SID,
    CALL_SID_OF_FILE,
    RECORDING_SID,
    one_account,
)
from calls.intake.statuses import our_status, provider_word
from calls.intake.webhooks.moved_parameters import find_hidden, has_another
from calls.models import ENDED
from tenants.addresses import Spoilt, caller_of, line_numbers
from tenants.numbers import region_of

SOURCE = re.compile(r"[A-Za-z]{1,50}")
WORD = re.compile(r"(?=.{1,100}\Z)[a-z]+(-[a-z]+)*")
URL = re.compile(r"https?://[\x21-\x7e]{1,2000}")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_INTEGER, MAX_BIGINT = 2**31 - 1, 2**63 - 1
# A longer call than this is a mistake of its duration.
MAX_LENGTH = timedelta(days=2)
# An event may come days late, and no earlier than it happened.
PLAUSIBLE_CLOCK_ERROR = timedelta(minutes=5)

# The parameters that say whose call it is and how far it came, and the other ones that are used.
IDENTITY = {
    EventKind.VOICE: (
        "CallSid",
        "AccountSid",
        "CallStatus",
        "From",
        "To",
        "Direction",
        "ParentCallSid",
    ),
    EventKind.RECORDING: ("CallSid", "AccountSid", "RecordingStatus"),
    EventKind.RECONCILED: (),  # fetched, not signed
}
VALUES = {
    EventKind.VOICE: (
        "CallDuration", "RecordingUrl", "SequenceNumber", "Timestamp", "RecordingSid",
        "RecordingDuration", "DialCallSid", "DialCallStatus", "DialCallDuration",
    ),
    EventKind.RECORDING: (
        "RecordingUrl", "RecordingSid", "RecordingDuration", "RecordingChannels",
        "RecordingSource", "RecordingStartTime",
    ),
    EventKind.RECONCILED: (),
}  # fmt: skip
# The parameters that say when the call began.
TIMES = {
    EventKind.VOICE: ("CallDuration", "Timestamp"),
    EventKind.RECORDING: (),
    EventKind.RECONCILED: (),
}
# Where one of them is part of another parameter: before app.telephony_lines()'s beginning of time,
# so that no line held a number that moved.
NO_TIME_THAT_COUNTS = datetime.min.replace(tzinfo=UTC)
USED = {name for names in (IDENTITY, VALUES) for of_kind in names.values() for name in of_kind}


class Malformed(Exception):
    """The event has a valid signature but not the format of the provider's events."""


@dataclass(kw_only=True)
class ParsedEvent:
    """The values of an event, None where missing; `notes` list what could not be parsed."""

    status: str | None = None
    provider_status: str | None = None
    caller_number: str | None = None
    duration: int | None = None
    recording_url: str | None = None
    began_at: datetime | None = None
    # Of a child leg: its own SID, and what only legs keep.
    leg_sid: str | None = None
    direction: str | None = None
    to: str | None = None
    ended_at: datetime | None = None
    # The leg that a Dial of this call made, as far as the call itself reports it.
    dialed: "ParsedEvent | None" = None
    # Of a recording that the provider names.
    recording_sid: str | None = None
    recording_state: str | None = None
    recording_duration: int | None = None
    recording_channels: int | None = None
    recording_source: str | None = None
    recording_started: datetime | None = None
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The argument of app.apply_call_event."""
        return {
            name: _as_json(value)
            for name, value in vars(self).items()
            if value is not None and name != "notes"
        }


def _as_json(value: Any) -> Any:
    if isinstance(value, ParsedEvent):
        return value.as_json()
    return value.isoformat() if isinstance(value, datetime) else value


@dataclass(frozen=True, kw_only=True)
class Address:
    """What identifies the line of an event; read before the signature is checked, so untrusted.

    call_sid is that of the call, also in the event of one of its legs. `at` is when the call
    began, None where the event does not show it: the line is the one that held the number then.
    """

    numbers: list[str]
    call_sid: str | None
    account_sid: str | None
    at: datetime | None = None


def read_address(kind: EventKind, parameters: Mapping[str, str]) -> Address:
    """The line's number comes first: called, or calling where Direction says outbound.

    A leg is found by its call alone: its numbers are the caller's and that of the transfer.
    """
    numbers: list[str] = []
    parent = parent_of(kind, parameters)
    if kind is not EventKind.RECORDING and parent is None:
        sides = _sides(parameters)
        # Else the other one's line might be taken for the called one.
        if _is_readable(sides[0], parameters):
            numbers = [n for name in sides for n in line_numbers(parameters.get(name, ""))]
    account = _matching(ACCOUNT_SID, parameters.get("AccountSid"))
    return Address(
        numbers=list(dict.fromkeys(numbers)),
        call_sid=parent or _matching(_sid_of(kind), parameters.get("CallSid")),
        account_sid=account and one_account(account),
        at=_beginning(kind, parameters) if numbers else None,
    )


def _beginning(kind: EventKind, parameters: Mapping[str, str]) -> datetime | None:
    if find_hidden(TIMES[kind], parameters):
        return NO_TIME_THAT_COUNTS
    parsed = ParsedEvent()
    if kind is EventKind.RECONCILED:
        return _read_time(parsed, parameters, "StartTime")
    parsed.duration = _read_integer(parsed, parameters, "CallDuration", MAX_INTEGER)
    return _read_beginning(parsed, parameters, datetime.now(UTC))


def _is_readable(name: str, parameters: Mapping[str, str]) -> bool:
    try:
        caller_of(parameters.get(name, ""))
    except Spoilt:
        return False
    return not has_another(name, parameters)


def _sides(parameters: Mapping[str, str], line: str | None = None) -> tuple[str, str]:
    """The parameter with the line's address, and that with the caller's.

    By the line's number where one of the two alone has it; else by the direction.
    """
    has_line = {
        name: line is not None and line in line_numbers(parameters.get(name, ""))
        for name in ("From", "To")
    }
    if has_line["From"] != has_line["To"]:
        return ("From", "To") if has_line["From"] else ("To", "From")
    outbound = is_outbound(provider_word(parameters.get("Direction", "")))
    return ("From", "To") if outbound else ("To", "From")


def read_event(
    kind: EventKind,
    parameters: Mapping[str, str],
    *,
    received_at: datetime,
    line: str | None = None,
) -> ParsedEvent:
    """Raises Malformed, with a reason that quotes no value. line is the number of the line."""
    if hidden := find_hidden(IDENTITY[kind], parameters):
        raise Malformed(f"{hidden} is part of another parameter.")
    _require(parameters, "CallSid", _sid_of(kind))
    if kind is EventKind.RECORDING or "AccountSid" in parameters:
        _require(parameters, "AccountSid", ACCOUNT_SID)
    parsed = ParsedEvent()
    if hidden := find_hidden(VALUES[kind], parameters):
        parsed.notes.append(f"{hidden} is missing, or part of another parameter")
    if kind is EventKind.VOICE:
        _read_progress(parsed, parameters, line)
        parsed.began_at = _read_beginning(parsed, parameters, received_at)
        _read_leg(parsed, kind, parameters)
        _read_dialed(parsed, parameters)
    elif kind is EventKind.RECONCILED:
        _read_progress(parsed, parameters, line)
        parsed.began_at = _read_time(parsed, parameters, "StartTime")
        _read_leg(parsed, kind, parameters)
    else:
        parsed.recording_state = _require(parameters, "RecordingStatus", WORD)
        _read_recording(parsed, parameters)
    return parsed


def _sid_of(kind: EventKind) -> re.Pattern[str]:
    return CALL_SID_OF_FILE if kind is EventKind.RECONCILED else CALL_SID


def parent_of(kind: EventKind, parameters: Mapping[str, str]) -> str | None:
    """The SID of the call that a leg belongs to; None for an event of a call itself."""
    parent = _matching(_sid_of(kind), parameters.get("ParentCallSid"))
    is_leg = kind is not EventKind.RECORDING and parent != parameters.get("CallSid")
    return parent if is_leg else None


def _read_progress(
    parsed: ParsedEvent, parameters: Mapping[str, str], line_number: str | None
) -> None:
    word = _require(parameters, "CallStatus", WORD)
    if "Direction" in parameters:
        _require(parameters, "Direction", WORD)
    parsed.status = our_status(word)
    parsed.provider_status = provider_word(word)
    if is_outbound(provider_word(parameters.get("Direction", "inbound"))) is None:
        parsed.notes.append("Direction is not known")
    parsed.caller_number = _read_caller(parsed, parameters, line_number)
    parsed.duration = _read_integer(parsed, parameters, "CallDuration", MAX_INTEGER)
    _read_recording(parsed, parameters)


def _read_leg(parsed: ParsedEvent, kind: EventKind, parameters: Mapping[str, str]) -> None:
    """What the event of a child leg says beside the status."""
    if parent_of(kind, parameters) is None:
        return
    parsed.leg_sid = parameters["CallSid"]
    parsed.direction = parameters.get("Direction")
    if to := parameters.get("To"):
        with suppress(Spoilt):
            parsed.to = caller_of(to)
    if parsed.began_at and parsed.status in ENDED:
        parsed.ended_at = _read_time(parsed, parameters, "EndTime") or (
            parsed.began_at + timedelta(seconds=parsed.duration or 0)
        )


def _read_dialed(parsed: ParsedEvent, parameters: Mapping[str, str]) -> None:
    """The result of a Dial, which the call that it is of reports when it goes on.

    https://www.twilio.com/docs/voice/twiml/dial#action
    """
    word = parameters.get("DialCallStatus")
    if not word:
        return
    leg = _matching(CALL_SID, parameters.get("DialCallSid"))
    if leg is None or leg == parameters["CallSid"]:
        parsed.notes.append("DialCallSid is not the SID of a leg")
    elif (status := our_status(word)) is None:
        parsed.notes.append("DialCallStatus is not known")
    else:
        parsed.dialed = ParsedEvent(
            leg_sid=leg,
            status=status,
            provider_status=provider_word(word),
            duration=_read_integer(parsed, parameters, "DialCallDuration", MAX_INTEGER),
        )


def _read_recording(parsed: ParsedEvent, parameters: Mapping[str, str]) -> None:
    """A recording, of which the event of a call gives fewer values than that of the recording."""
    parsed.recording_url = _read_url(parsed, parameters)
    found = RECORDING_SID.search(parsed.recording_url or "")
    parsed.recording_sid = _matching(RECORDING_SID, parameters.get("RecordingSid")) or (
        found[0] if found else None
    )
    if parsed.recording_sid is None:
        return
    number = _read_integer(parsed, parameters, "RecordingDuration", MAX_INTEGER)
    parsed.recording_duration = number
    parsed.recording_channels = _read_integer(parsed, parameters, "RecordingChannels", 100)
    parsed.recording_source = _matching(SOURCE, parameters.get("RecordingSource"))
    parsed.recording_started = _read_time(parsed, parameters, "RecordingStartTime")


def _read_caller(
    parsed: ParsedEvent, parameters: Mapping[str, str], line_number: str | None
) -> str | None:
    line, caller = _sides(parameters, line_number)
    if caller not in parameters:
        return None
    if has_another(caller, parameters):
        parsed.notes.append(f"{caller} goes on with another parameter")
        return None
    region = next(map(region_of, line_numbers(parameters.get(line, ""))), None)
    try:
        return caller_of(parameters[caller], region)
    except Spoilt as reason:
        parsed.notes.append(f"{caller} {reason}")
        return None


def _read_beginning(
    parsed: ParsedEvent, parameters: Mapping[str, str], received_at: datetime
) -> datetime | None:
    """The time of the event; for the end of a call, less its duration."""
    happened = _read_time(parsed, parameters, "Timestamp")
    if happened is None:
        return None
    if not EARLIEST <= happened <= received_at + PLAUSIBLE_CLOCK_ERROR:
        parsed.notes.append("Timestamp is in the future or before 2000")
        return None
    length = timedelta(seconds=parsed.duration or 0)
    return happened - length if length <= MAX_LENGTH else happened


def _read_time(parsed: ParsedEvent, parameters: Mapping[str, str], name: str) -> datetime | None:
    if not (text := parameters.get(name)):
        return None
    try:
        time = parsedate_to_datetime(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        pass
    parsed.notes.append(f"{name} is not an RFC 2822 date with a time zone")
    return None


def _read_url(parsed: ParsedEvent, parameters: Mapping[str, str]) -> str | None:
    if not (text := parameters.get("RecordingUrl")):
        return None
    url = _matching(URL, text)
    if url is None or has_another("RecordingUrl", parameters):
        parsed.notes.append("RecordingUrl is not a URL")
        return None
    return url


def read_sequence(parsed: ParsedEvent, parameters: Mapping[str, str]) -> int | None:
    return _read_integer(parsed, parameters, "SequenceNumber", MAX_BIGINT)


def _read_integer(
    parsed: ParsedEvent, parameters: Mapping[str, str], name: str, maximum: int
) -> int | None:
    """A whole number from 0 to maximum; anything else is None with a note."""
    if not (text := parameters.get(name)):
        return None
    if re.fullmatch(r"[0-9]{1,19}", text) and int(text) <= maximum:
        return int(text)
    parsed.notes.append(f"{name} is not a whole number up to {maximum}")
    return None


def _require(parameters: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    if name not in parameters:
        raise Malformed(f"{name} is missing.")
    if not form.fullmatch(parameters[name]):
        raise Malformed(f"{name} has an invalid format.")
    return parameters[name]


def _matching(form: re.Pattern[str], text: str | None) -> str | None:
    return text if text is not None and form.fullmatch(text) else None
