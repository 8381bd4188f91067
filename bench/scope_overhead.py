"""What isolation adds to a request of short queries: round trips.

    python -m bench.scope_overhead [--calls 50000]

- ours: replytics_web, the scope carried by the guard, the manager's filter, the policies
- no tenancy: a login that bypasses the policies, a hand-written filter, no scope
- atomic: a transaction that begins with a SELECT set_config, the usual recipe
- session: the line set for the session before the request and reset after it, as django-rls does

directly and through pgbouncer in transaction mode, where it is installed; there a setting of the
session would be another client's next, so that contender is left out. A request reads the latest
20 calls of a line once, or five times. The lines are small ones: the rest is the same anyway.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from bench.alone import run_alone
from bench.connections import add_unguarded, set_up_django
from bench.rows import Row, in_milliseconds
from bench.timing import by_turns, median_ratio

ROUNDS = 100
SET_FOR_TRANSACTION = "SELECT set_config('app.phone_id', %s, true)"
SET_FOR_SESSION = "SELECT set_config('app.phone_id', %s, false)"
PEERS = {
    "no tenancy": ("bypassing", "<= 1.15"),
    "atomic and set_config": ("plain", "<= 1.0"),
    "session settings": ("plain", "<= 1.0"),
}


def rows(calls: int) -> Iterator[Row]:
    """On the database of the environment, which has so many calls of bench.data."""
    set_up_django()
    from django.db import connections

    from tests import pooler

    for alias in ("bypassing", "plain"):
        add_unguarded(alias)
    yield from compare("directly", list(PEERS))
    if pooler.PROGRAM is None:
        return
    with ExitStack() as started:
        for alias in ("default", "bypassing", "plain"):
            connections[alias].close()
            server: dict[str, Any] = connections[alias].settings_dict
            # One to itself: a shared one would be found warm.
            server["PORT"] = str(started.enter_context(pooler.pgbouncer(server, pool_size=1)))
        for alias in ("bypassing", "plain"):
            add_unguarded(alias)
        yield from compare("through pgbouncer", list(PEERS)[:2])
        connections.close_all()


def compare(way: str, peers: list[str]) -> Iterator[Row]:
    for queries in (1, 5):
        lines = itertools.cycle(f"pn_{n}" for n in range(200, 400))
        acts = {name: partial(_ask, name, lines, queries) for name in ("ours", *peers)}
        taken = by_turns(acts, rounds=ROUNDS)
        for peer in peers:
            yield Row(
                work=f"request of {queries} {'queries' if queries > 1 else 'query'}, {way}",
                peer=peer,
                ours=in_milliseconds(taken["ours"]),
                theirs=in_milliseconds(taken[peer]),
                ratio=median_ratio(taken["ours"], taken[peer]),
                target=PEERS[peer][1],
            )


def _ask(name: str, lines: Iterator[str], queries: int) -> None:
    REQUESTS[name](next(lines), queries)


def ours(line: str, queries: int) -> None:
    from calls.models import Call
    from database.statement_context import statement_context
    from tenancy import tenant

    # As in every request: its name and its patience for locks travel with the scope.
    with statement_context("GET /api/v1/calls/", lock_timeout=5_000), tenant(line):
        for _ in range(queries):
            list(Call.objects.all()[:20])


def by_hand(line: str, queries: int, alias: str = "bypassing") -> None:
    from django.db.models import QuerySet

    from calls.models import Call

    for _ in range(queries):
        list(QuerySet(Call, using=alias).filter(phone_id=line)[:20])


def in_transaction(line: str, queries: int) -> None:
    from django.db import connections, transaction

    with transaction.atomic(using="plain"):
        with connections["plain"].cursor() as cursor:
            cursor.execute(SET_FOR_TRANSACTION, [line])
        by_hand(line, queries, "plain")


def in_session(line: str, queries: int) -> None:
    from django.db import connections

    with connections["plain"].cursor() as cursor:
        cursor.execute(SET_FOR_SESSION, [line])
    by_hand(line, queries, "plain")
    with connections["plain"].cursor() as cursor:
        cursor.execute(SET_FOR_SESSION, [""])


REQUESTS: dict[str, Callable[[str, int], None]] = {
    "ours": ours,
    "no tenancy": by_hand,
    "atomic and set_config": in_transaction,
    "session settings": in_session,
}

if __name__ == "__main__":
    run_alone("scope_overhead", rows, __doc__)
