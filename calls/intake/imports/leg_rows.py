"""A leg of a call from one record of a file: a row that names its parent call."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple, Self

from calls.intake.imports.record_fields import Rejected
from calls.intake.models import EventKind
from calls.intake.statuses import our_status, provider_word
from calls.intake.webhooks.events import Malformed, read_event


class Leg(NamedTuple):
    """A leg as app.keep_file_leg() takes it.

    row is its number in the file. phone_id is the line that the row names; a row of the provider's
    list names none, since its numbers are those of the caller and of the transfer.
    """

    row: int
    phone_id: str | None
    call_sid: str  # of the call that it belongs to
    leg_sid: str
    payload: Mapping[str, str]
    parsed: Mapping[str, Any]

    @classmethod
    def read(cls, row: int, phone_id: str | None, parameters: Mapping[str, str | None]) -> Self:
        """From the parameters of an event, which the inbox keeps and replays. Raises Rejected."""
        payload = {name: value for name, value in parameters.items() if value}
        try:
            event = read_event(EventKind.RECONCILED, payload, received_at=datetime.now(UTC))
        except Malformed as error:
            raise Rejected(f"{error} Correct it") from None
        return cls(
            row,
            phone_id,
            payload["ParentCallSid"],
            payload["CallSid"],
            payload,
            event.as_json(),
        )


def as_parameter(time: str) -> str:
    """A time as TimeReader reads it, in the form that events have."""
    return format_datetime(datetime.fromisoformat(time.replace(" +", "+")))


def word_of_leg(status: str, given: str | None) -> str:
    """The word for the status of a leg: the provider's, where it is one that we know."""
    return provider_word(given) if given and our_status(given) else status


def refuse_parts_of_calls(columns: Mapping[str, Any]) -> None:
    """Raises Rejected for what only a call can have, lest it is lost."""
    for name in ("transcript", "ai_summary", "metadata", "tags", "custom_fields"):
        if columns.get(name):
            raise Rejected(
                f"{name} is given of a leg, which has none; put it into the row of the leg's call"
            )
