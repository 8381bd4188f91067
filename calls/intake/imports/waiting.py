"""Gives calls that a file brought what waited for them in the inbox."""

from collections.abc import Iterator

from django.db import connection, transaction

from calls.intake.imports.chunks import SeenCalls
from calls.intake.imports.upsert import ONE_AT_A_TIME

PAGE = 1_000  # waiting events
BATCH_CALLS = 100  # of one transaction, which holds a lock of each

# After the commit of the calls: whoever looked for them in vain has let the event wait when this
# is granted, and whoever looks later finds them. See app.await_import().
WAIT_FOR_EVENTS = "SELECT pg_advisory_xact_lock(hashtextextended('waiting events', 0))"
FIND = """
SELECT e.id, e.call_sid, c.phone_id
FROM (
    SELECT id, call_sid FROM call_events WHERE outcome = 'waiting' AND id > %s
    ORDER BY id LIMIT %s
) AS e LEFT JOIN LATERAL app.line_of_call(e.call_sid) AS c ON true
ORDER BY e.id
"""
LOCK_CALLS = "SELECT app.lock_calls(%s)"
GIVE = """
SELECT app.give_waiting_events(c.sid, c.line, %s)
FROM unnest(%s::text[], %s::text[]) AS c (sid, line)
"""


def give_waiting_events(seen: SeenCalls | None = None) -> Iterator[str]:
    """Record waiting events whose call is there by now; gives the SIDs of the legs among them.

    With the calls that a dry run has seen nothing is locked or written. Needs a scope of all
    tenants, and no transaction.
    """
    if seen is None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ONE_AT_A_TIME)
            cursor.execute(WAIT_FOR_EVENTS)
    last = 0
    while found := _page(last):
        last = found[-1][0]
        known = [(sid, line or (seen and seen.line_of(sid))) for _, sid, line in found]
        calls = sorted({(sid, line) for sid, line in known if line})
        for start in range(0, len(calls), BATCH_CALLS):
            yield from _give(calls[start : start + BATCH_CALLS], writes=seen is None)


def _page(last: int) -> list[tuple[int, str, str | None]]:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [last, PAGE])
        found: list[tuple[int, str, str | None]] = cursor.fetchall()
    return found


def _give(calls: list[tuple[str, str]], *, writes: bool) -> list[str]:
    sids, lines = [sid for sid, _ in calls], [line for _, line in calls]
    with transaction.atomic(), connection.cursor() as cursor:
        if writes:
            cursor.execute(LOCK_CALLS, [sids])
        cursor.execute(GIVE, [writes, sids, lines])
        return [leg_sid for (leg_sid,) in cursor.fetchall()]
