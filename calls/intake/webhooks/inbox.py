"""An event and its effect, stored together or not at all."""

import logging
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
from database.errors import is_value_error
from tenancy import all_tenants, no_tenant, tenant

logger = logging.getLogger("replytics.intake")

# An event whose line was found by a number, in the scope of that line: one round trip. NULL when
# the credentials that its signature was checked with are no longer the line's.
RECEIVE = """
SELECT app.receive_call_event(%(numbers)s::text[], %(account_sid)s, %(current_token)s,
    %(next_token)s, %(call_sid)s, %(kind)s, %(sequence)s, %(payload)s, %(parsed)s, %(reason)s,
    %(outcome)s, %(at)s, %(digest)s)
"""
# Any other event, applied unless it already has an outcome. One statement, so one transaction: an
# event and its effect are stored together or not at all.
STORE = """
SELECT app.keep_call_event(%(call_sid)s, %(kind)s, %(sequence)s, %(payload)s, %(parsed)s,
    %(reason)s, %(outcome)s, %(digest)s)
"""
APPLY = "SELECT app.apply_call_event(%(call_sid)s, %(parsed)s)"
UPDATE = """
UPDATE call_events SET phone_id = %(phone_id)s, call_sid = %(call_sid)s, sequence = %(sequence)s,
    parsed = %(parsed)s, reason = %(reason)s, outcome = %(outcome)s, replayed_at = now(),
    digest = CASE WHEN phone_id IS NOT DISTINCT FROM %(phone_id)s THEN digest END
WHERE id = %(event_id)s
RETURNING outcome
"""
# Characters that jsonb cannot store.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class SignerChanged(Exception):
    """The line or its tokens are no longer those that the signature was checked with."""


@dataclass(kw_only=True)
class Event:
    """An event as it goes into the inbox.

    outcome None: to be applied to its call. digest None: the same again is another row.
    """

    kind: EventKind
    parameters: Mapping[str, str]
    address: Address
    phone_id: str | None
    credentials: Credentials | None = None
    sequence: int | None = None
    parsed: ParsedEvent | None = None
    outcome: EventOutcome | None = None
    reason: str | None = None
    digest: str | None = None

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
            "parsed": Jsonb(self.parsed.as_json()) if self.parsed else None,
            "outcome": self.outcome,
            "reason": self.reason,
            "digest": self.digest,
        }


def classify(
    kind: EventKind,
    parameters: Mapping[str, str],
    signer: Signer,
    *,
    received_at: datetime,
    address: Address | None = None,
    digest: str | None = None,
) -> Event:
    """The event, with its outcome if that does not depend on the call.

    address is that of the parameters, where the caller has read it already.
    """
    event = Event(
        kind=kind,
        parameters=parameters,
        address=address or read_address(kind, parameters),
        phone_id=signer.phone_id,
        credentials=signer.credentials,
        digest=digest,
    )
    try:
        event.parsed = read_event(kind, parameters, received_at=received_at, line=signer.number)
        if signer.account_sid and event.address.account_sid not in (None, signer.account_sid):
            raise Malformed("AccountSid does not belong to the line.")
    except Malformed as error:
        event.outcome, event.reason = EventOutcome.MALFORMED, str(error)
        return event
    event.sequence = read_sequence(event.parsed, parameters)
    event.reason = "; ".join(event.parsed.notes) or None
    if kind is not EventKind.RECORDING and event.parsed.status is None:
        event.outcome = EventOutcome.UNKNOWN_STATUS
        event.reason = "CallStatus is not supported by this version."
    elif event.phone_id is None:
        waits = kind is EventKind.RECORDING or event.parsed.leg_sid is not None
        event.outcome = EventOutcome.WAITING if waits else EventOutcome.UNKNOWN_LINE
    return event


def store(event: Event) -> EventOutcome:
    """Apply an event and put it into the inbox; when this returns, both are committed.

    Raises SignerChanged, with nothing stored, and what database.errors.is_unavailable() knows when
    the database does not answer in time. After an error of the program the event is stored without
    any effect, and the error raised.
    """
    values = event.values()
    with _scope(event.phone_id):
        try:
            if event.credentials is not None:
                return _receive(values, event.address, event.credentials)
            return _outcome(STORE, values)
        except (DataError, IntegrityError) as error:
            outcome = _outcome(STORE, values | _rejected(error))
            if isinstance(error, DataError) and not is_value_error(error):
                raise
            return outcome


def replay(event_id: int, event: Event) -> EventOutcome:
    """Apply an event of the inbox again and store its new outcome."""
    values = event.values() | {"event_id": event_id}
    try:
        with transaction.atomic():
            if event.outcome is None:
                with _scope(event.phone_id):
                    values["outcome"] = _outcome(APPLY, values)
            with all_tenants("replay of an event"):
                return _outcome(UPDATE, values)
    except (DataError, IntegrityError) as error:
        if isinstance(error, DataError) and not is_value_error(error):
            logger.exception("Event %s was not applied", event_id)
        with all_tenants("replay of an event"):
            return _outcome(UPDATE, values | _rejected(error))


def _scope(phone_id: str | None) -> AbstractContextManager[object]:
    return tenant(phone_id) if phone_id else no_tenant()


def _rejected(error: Exception) -> dict[str, Any]:
    """The values of an event that the database rejected: stored, without any effect."""
    reason = f"Rejected by the database: {type(error.__cause__ or error).__name__}."
    return {"outcome": EventOutcome.MALFORMED, "parsed": None, "reason": reason}


def _receive(
    values: Mapping[str, Any], address: Address, credentials: Credentials
) -> EventOutcome:
    confirmed = {"numbers": address.numbers, "at": address.at, **credentials._asdict()}
    [outcome] = ask(RECEIVE, {**values, **confirmed})
    if outcome is None:
        raise SignerChanged
    return EventOutcome(outcome)


def _outcome(sql: str, values: Mapping[str, Any]) -> EventOutcome:
    [outcome] = ask(sql, values)
    return EventOutcome(outcome)
