"""What carrying the line costs a request: both walls, against neither.

    python -m bench.scope_overhead [--rounds 300] [--calls 200000]

The same request four ways, interleaved in one run on one embedded PostgreSQL:

- none:  a login that bypasses row level security, a hand-written filter, no scope
- scope: replytics_web, the scope carried by the guard, the manager's filter, the policies
- named: as scope, with the request's name and patience for locks carried too, as in every request
- usual: as scope, but in a transaction with a SELECT set_config of its own, the usual recipe

directly and through pgbouncer in transaction mode, where it is installed. A request reads the
latest 20 calls of a line once, or five times. Prints ratios of medians; 1.00 is none.
"""

import argparse
import os
import secrets
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from replytics.embedded import ROOT, SUPERUSER, Cluster

LINES = 200
LOAD_LINES = """
INSERT INTO phone_numbers (id, number, business_name)
SELECT 'pn_' || n, '+1415555' || to_char(n, 'FM0000'), 'Business ' || n
FROM generate_series(1, %(lines)s) AS n
"""
LOAD_CALLS = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, duration, created_at)
SELECT 'pn_' || (1 + n %% %(lines)s), '+1212555' || to_char(n %% 10000, 'FM0000'), 'CA' || n,
       'completed', n %% 600, now() - n * interval '20 seconds'
FROM generate_series(1, %(calls)s) AS n
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--calls", type=int, default=200_000)
    options = parser.parse_args()
    cluster = Cluster(ROOT / ".postgres" / "bench", durable=False)
    cluster.start()
    try:
        os.environ.update(cluster.environment(), AUDIT_LOG_LEVEL="WARNING")
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
        measure(cluster, rounds=options.rounds, calls=options.calls)
    finally:
        cluster.stop()


def measure(cluster: Cluster, *, rounds: int, calls: int) -> None:
    import django

    django.setup()

    from django.core.management import call_command
    from django.db import connections

    from tests import pooler

    call_command("migrate", verbosity=0)
    administrator = cluster.url(SUPERUSER)
    assert administrator is not None
    _load(administrator, calls)
    serving = connections["default"].settings_dict
    password = (cluster.describe() or {})["passwords"][SUPERUSER]
    plain = {**serving, "USER": SUPERUSER, "PASSWORD": password}
    logins = {"none": plain, "scope": serving, "named": serving, "usual": plain}
    _compare("direct", logins, rounds)
    if pooler.PROGRAM is not None:
        with ExitStack() as stack:
            for name, login in logins.items():
                port = stack.enter_context(pooler.pgbouncer(login, pool_size=1))
                logins[name] = {**login, "PORT": str(port)}
            _compare("pgbouncer", logins, rounds)


def _load(administrator: str, calls: int) -> None:
    import psycopg

    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute("TRUNCATE phone_numbers CASCADE")
        connection.execute(LOAD_LINES, {"lines": LINES})
        connection.execute(LOAD_CALLS, {"lines": LINES, "calls": calls})
        connection.execute("VACUUM ANALYZE phone_numbers, calls")


def _compare(way: str, logins: dict[str, dict[str, Any]], rounds: int) -> None:
    """Each has a server process, and a pgbouncer, to itself: a shared one would be found warm."""
    from django.db import connections, transaction
    from django.db.backends.postgresql.base import Cursor
    from django.db.models import Manager

    from calls.models import Call
    from tenants.scoping import tenant
    from tenants.scoping.work import working

    connections.settings.update(logins)
    for alias in ("none", "usual"):
        bare: Any = connections[alias]
        bare.ensure_connection()
        bare.connection.cursor_factory = Cursor  # as Django made it: without the guard
    unscoped: Any = Manager()
    unscoped.model = Call

    def none(line: str, queries: int, alias: str = "none") -> None:
        for _ in range(queries):
            list(unscoped.using(alias).filter(phone_id=line)[:20])

    def scope(line: str, queries: int, alias: str = "scope") -> None:
        with tenant(line):
            for _ in range(queries):
                list(Call.objects.using(alias)[:20])

    def named(line: str, queries: int) -> None:
        with working("GET /api/v1/calls/", lock_timeout=5_000):
            scope(line, queries, "named")

    def usual(line: str, queries: int) -> None:
        with transaction.atomic(using="usual"):
            with connections["usual"].cursor() as cursor:
                cursor.execute("SELECT set_config('app.phone_id', %s, true)", [line])
            none(line, queries, "usual")

    requests: dict[str, Callable[[str, int], None]] = {
        "none": none,
        "scope": scope,
        "named": named,
        "usual": usual,
    }
    for queries in (1, 5):
        taken: dict[str, list[float]] = {name: [] for name in requests}
        for turn in range(rounds + 20):
            line = f"pn_{1 + turn % LINES}"
            # Each round begins with another one, so that none is always first after a pause.
            names = list(requests)
            for name in names[turn % 4 :] + names[: turn % 4]:
                begun = time.perf_counter()
                requests[name](line, queries)
                if turn >= 20:  # the first ones warm up
                    taken[name].append(time.perf_counter() - begun)
        medians = {name: statistics.median(times) for name, times in taken.items()}
        ratios = " ".join(f"{name} {medians[name] / medians['none']:.2f}" for name in requests)
        print(f"{way}, {queries} queries: {ratios} (none {medians['none'] * 1000:.2f} ms)")
    for alias in logins:
        connections[alias].close()
        del connections[alias]


if __name__ == "__main__":
    main()
