"""Replays events of the inbox, such as after adding a line or supporting a new status."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from django.db import DatabaseError

from calls.intake.models import PROBLEMS, CallEvent, EventKind, EventOutcome
from calls.intake.webhooks.events import read_address
from calls.intake.webhooks.inbox import classify, replay
from calls.intake.webhooks.signers import Signer, find_signer
from database.errors import is_unavailable, sqlstate
from tenancy import all_tenants, no_tenant

NOT_FOUND = "not found"
DEFERRED = "deferred"
READ_ONLY = "25006"


def problem_ids(*, limit: int) -> list[int]:
    """The oldest events that were stored but not applied."""
    with all_tenants("events to replay"):
        problems = CallEvent.objects.filter(outcome__in=PROBLEMS).order_by("id")
        return list(problems.values_list("pk", flat=True)[:limit])


def replay_events(ids: Iterable[int]) -> Counter[str]:
    """Apply events again, each in a transaction of its own; returns the number per outcome.

    Their signatures were checked on arrival. An event that fails does not stop the others: it is
    counted as DEFERRED when the database is busy, and an unknown id as NOT_FOUND. Raises
    DatabaseError for other reasons, such as a read-only server.
    """
    counts: Counter[str] = Counter()
    for event_id in ids:
        with all_tenants("replay of an event"):
            stored = CallEvent.objects.filter(pk=event_id).first()
        if stored is None:
            counts[NOT_FOUND] += 1
            continue
        try:
            counts[_replay(stored)] += 1
        except DatabaseError as error:
            if not is_unavailable(error) or sqlstate(error) == READ_ONLY:
                raise
            counts[DEFERRED] += 1
    return counts


def _replay(stored: CallEvent) -> EventOutcome:
    kind = EventKind(stored.kind)
    address = read_address(kind, stored.payload)
    with no_tenant():
        found = find_signer(replace(address, at=address.at or stored.received_at))
    # An event verified for a line stays with that line.
    number = found.number if stored.phone_id in (None, found.phone_id) else None
    signer = Signer(stored.phone_id or found.phone_id, (), found.account_sid, number=number)
    event = classify(kind, stored.payload, signer, received_at=stored.received_at, address=address)
    return replay(stored.pk, event)
