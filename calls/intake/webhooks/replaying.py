"""Events of the inbox, applied once more: after a line was added, or a reader learned a word."""

from collections import Counter
from collections.abc import Iterable

from calls.intake.models import PROBLEMS, CallEvent, EventKind, EventOutcome
from calls.intake.webhooks.events import read_address
from calls.intake.webhooks.inbox import classify, replay
from calls.intake.webhooks.signers import Signer, find_signer
from database.errors import UNAVAILABLE_ERRORS
from tenancy import all_tenants, no_tenant

NO_SUCH_EVENT = "no such event"


def problem_ids(*, limit: int) -> list[int]:
    """The oldest events that were kept and not applied."""
    with all_tenants("events to replay"):
        problems = CallEvent.objects.filter(outcome__in=PROBLEMS).order_by("id")
        return list(problems.values_list("pk", flat=True)[:limit])


def replay_events(ids: Iterable[int]) -> Counter[str]:
    """Apply events again, each in a transaction of its own; returns how many got which outcome.

    Their signatures were checked when they came. An event that fails stops no other: the database
    being busy is counted as "put off", an id that there is not as NO_SUCH_EVENT.
    """
    counts: Counter[str] = Counter()
    for event_id in ids:
        with all_tenants("replay of an event"):
            kept = CallEvent.objects.filter(pk=event_id).first()
        if kept is None:
            counts[NO_SUCH_EVENT] += 1
            continue
        try:
            counts[_replay(kept)] += 1
        except UNAVAILABLE_ERRORS:
            counts["put off"] += 1
    return counts


def _replay(kept: CallEvent) -> EventOutcome:
    kind = EventKind(kept.kind)
    with no_tenant():
        found = find_signer(read_address(kind, kept.payload))
    # What was once verified as one line's stays that line's.
    signer = Signer(kept.phone_id or found.phone_id, (), found.account_sid)
    event = classify(kind, kept.payload, signer, received_at=kept.received_at)
    return replay(kept.pk, event)
