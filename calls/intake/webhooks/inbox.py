"""An event and its effect, stored together or not at all."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, transaction
from psycopg.types.json import Jsonb

from calls.intake.models import EventKind, EventOutcome
from calls.intake.webhooks.deadline import ask
from calls.intake.webhooks.events import (
    Address,
    Malformed,
    ParsedEvent,
    read_address,
    read_event,
    read_sequence,
)
from calls.intake.webhooks.signers import Credentials, Signer
from tenancy import all_tenants, no_tenant, tenant

# An event whose line a number told, in the scope of that line: the one round trip of a callback.
# NULL when the credentials that its signature was checked with are no longer the line's.
RECEIVE = """
SELECT app.receive_call_event(%(numbers)s::text[], %(account_sid)s, %(current_token)s,
    %(next_token)s, %(call_sid)s, %(kind)s, %(sequence)s, %(payload)s, %(reading)s, %(reason)s,
    %(verdict)s)
"""
# Any other event. It is applied where no verdict was reached without that. One statement, so one
# transaction: the inbox never knows an event whose effect was lost, nor the other way round.
STORE = """
SELECT app.keep_call_event(%(call_sid)s, %(kind)s, %(sequence)s, %(payload)s, %(reading)s,
    %(reason)s, %(verdict)s)
"""
APPLY = "SELECT app.apply_call_event(%(call_sid)s, %(reading)s)"
UPDATE = """
UPDATE call_events SET phone_id = %(phone_id)s, call_sid = %(call_sid)s, sequence = %(sequence)s,
    reading = %(reading)s, reason = %(reason)s, verdict = %(verdict)s, replayed_at = now()
WHERE id = %(event_id)s
RETURNING verdict
"""
# What jsonb cannot hold.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class SignerChanged(Exception):
    """The line or its tokens are no longer those that the signature was checked with."""


@dataclass(kw_only=True)
class Event:
    """An event as it goes into the inbox. verdict None: to be applied to its call."""

    kind: EventKind
    parameters: Mapping[str, str]
    address: Address
    phone_id: str | None
    credentials: Credentials | None = None
    sequence: int | None = None
    reading: ParsedEvent | None = None
    verdict: EventOutcome | None = None
    reason: str | None = None

    def values(self) -> dict[str, Any]:
        return {
            "phone_id": self.phone_id,
            "call_sid": self.address.call_sid,
            "kind": self.kind,
            "sequence": self.sequence,
            "payload": Jsonb(
                {
                    UNSTORABLE.sub("\ufffd", name): UNSTORABLE.sub("\ufffd", value)
                    for name, value in self.parameters.items()
                }
            ),
            "reading": Jsonb(self.reading.as_json()) if self.reading else None,
            "verdict": self.verdict,
            "reason": self.reason,
        }


def classify(
    kind: EventKind, parameters: Mapping[str, str], signer: Signer, *, received_at: datetime
) -> Event:
    """What can be said of a verified event without looking at its call."""
    event = Event(
        kind=kind,
        parameters=parameters,
        address=read_address(kind, parameters),
        phone_id=signer.phone_id,
        credentials=signer.credentials,
    )
    try:
        event.reading = read_event(kind, parameters, received_at=received_at)
        if signer.account_sid and event.address.account_sid not in (None, signer.account_sid):
            raise Malformed("AccountSid is not that of the line.")
    except Malformed as error:
        event.verdict, event.reason = EventOutcome.MALFORMED, str(error)
        return event
    event.sequence = read_sequence(event.reading, parameters)
    event.reason = "; ".join(event.reading.notes) or None
    if kind is not EventKind.RECORDING and event.reading.status is None:
        event.verdict = EventOutcome.UNKNOWN_STATUS
        event.reason = "CallStatus is a word that this version does not know."
    elif event.phone_id is None:
        is_recording = kind is EventKind.RECORDING
        event.verdict = EventOutcome.WAITING if is_recording else EventOutcome.UNKNOWN_LINE
    return event


def store(event: Event) -> EventOutcome:
    """Apply an event and put it into the inbox; when this returns, both are committed.

    Raises SignerChanged, with nothing stored, and UNAVAILABLE_ERRORS (database.errors) when the
    database does not answer in time.
    """
    values = event.values()
    with _scope(event.phone_id):
        try:
            if event.credentials is not None:
                return _receive(values, event.address, event.credentials)
            return _verdict(STORE, values)
        except (DataError, IntegrityError) as error:
            return _verdict(STORE, values | _refusal(error))


def replay(event_id: int, event: Event) -> EventOutcome:
    """Apply an event of the inbox again, and note what became of it now."""
    values = event.values() | {"event_id": event_id}
    try:
        with transaction.atomic():
            if event.verdict is None:
                with _scope(event.phone_id):
                    values["verdict"] = _verdict(APPLY, values)
            with all_tenants("replay of an event"):
                return _verdict(UPDATE, values)
    except (DataError, IntegrityError) as error:
        with all_tenants("replay of an event"):
            return _verdict(UPDATE, values | _refusal(error))


def _scope(phone_id: str | None) -> AbstractContextManager[object]:
    return tenant(phone_id) if phone_id else no_tenant()


def _refusal(error: Exception) -> dict[str, Any]:
    """The database knows a rule that the reader does not: kept, and no reason to send it again."""
    reason = f"The database refused it: {type(error.__cause__ or error).__name__}."
    return {"verdict": EventOutcome.MALFORMED, "reading": None, "reason": reason}


def _receive(
    values: Mapping[str, Any], address: Address, credentials: Credentials
) -> EventOutcome:
    confirmed = {"numbers": address.numbers, **credentials._asdict()}
    [verdict] = ask(RECEIVE, {**values, **confirmed})
    if verdict is None:
        raise SignerChanged
    return EventOutcome(verdict)


def _verdict(sql: str, values: Mapping[str, Any]) -> EventOutcome:
    [verdict] = ask(sql, values)
    return EventOutcome(verdict)
