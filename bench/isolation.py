"""What tenant isolation costs: each query with it over the same query without it.

With: our ORM in a tenant scope as replytics_web, so the statement that carries the scope, the
ORM's filter and the policy. Without: the same rows by a hand-written filter, on a login that
bypasses every policy and a connection that carries no scope. Both run in turn; the ratio is the
median of those of neighbouring runs, which a machine that is busy meanwhile does not move.

    python -m bench.isolation --calls 2000000

It makes a database of its own on the embedded server (start that first) and drops it afterwards;
2,000,000 calls take some 8 GB of disk meanwhile.
"""

import argparse
import os
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql
from rich.console import Console
from rich.progress import track
from rich.table import Table

from replytics.embedded import MAIN, OWNER_LOGIN, SERVING_LOGIN, SUPERUSER

SCRATCH = "replytics_bench_isolation"
BYPASSING_LOGIN = "replytics_bench_bypass"
BATCH = 50_000

# Sentences of 12 words out of 30,000, the early ones far more often than the late.
PREPARE = """
SELECT setseed(0.42);
INSERT INTO phone_numbers (id, number, business_name)
SELECT 'pn_' || n, '+1415' || (5550000 + n), 'Business ' || n FROM generate_series(0, 999) AS n;
CREATE TEMPORARY TABLE sentences AS
SELECT n, string_agg('w' || floor(power(random(), 3) * 30000)::int, ' ') AS said
FROM generate_series(0, 39999) AS n, generate_series(1, 12) GROUP BY n;
CREATE INDEX ON sentences (n);
"""
# Skewed over 1,000 lines: of 2,000,000 calls the first has some 63,000, the last 1,000.
FILL_CALLS = """
INSERT INTO calls (id, phone_id, caller_number, call_sid, status, duration, transcript, ai_summary,
                   created_at, updated_at)
SELECT md5(call.n::text)::uuid, 'pn_' || floor(power(random(), 2) * 1000)::int,
       '+1' || (2000000000 + floor(random() * 8000000000)::bigint),
       'CA' || lpad(to_hex(call.n), 32, '0'),
       (ARRAY['completed', 'completed', 'completed', 'completed', 'failed'])[1 + call.n %% 5],
       floor(random() * 600), concat_ws('. ', a.said, b.said, c.said, d.said), e.said, at, at
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS call (n)
CROSS JOIN LATERAL (
    SELECT timestamptz '2026-07-01Z' - random() * interval '365 days' + call.n * interval '0' AS at
) AS clock
JOIN sentences a ON a.n = call.n * 7919 %% 40000
JOIN sentences b ON b.n = (call.n * 104729 + call.n / 40000) %% 40000
JOIN sentences c ON c.n = (call.n * 1299709 + call.n / 777) %% 40000
JOIN sentences d ON d.n = (call.n * 15485863 + call.n / 333) %% 40000
JOIN sentences e ON e.n = (call.n * 32452843 + call.n / 99) %% 40000
"""
FILL_METADATA = """
INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields)
SELECT c.id, c.phone_id, jsonb_build_object('source', 'web', 'campaign', n %% 500),
       array_remove(ARRAY[
           CASE WHEN n %% 5 < 2 THEN 'returning' END, CASE WHEN n %% 50 = 7 THEN 'vip' END,
           CASE WHEN n %% 2000 = 7 THEN 'complaint' END, 'topic' || n %% 40], NULL),
       jsonb_build_object('ticket', n %% 10000)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
JOIN calls c ON c.id = md5(n::text)::uuid
"""
FILL_WORDS = """
INSERT INTO call_search (call_id, phone_id, document)
SELECT c.id, c.phone_id, app.call_document(c.transcript, c.ai_summary)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
JOIN calls c ON c.id = md5(n::text)::uuid
"""
# Built once at the end, which takes a fraction of keeping them during the load.
LATE_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid IN ('calls'::regclass, 'call_metadata'::regclass, 'call_search'::regclass)
AND NOT indisunique
"""
TABLES = ("calls", "call_metadata", "call_search")


Query = Callable[[], list[Any]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.isolation", description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=31, help="runs of each query (default 31)")
    parser.add_argument(
        "--minutes", type=float, default=45, help="stop filling after so many (default 45)"
    )
    options = parser.parse_args()
    if not MAIN.is_running():
        sys.exit("Start the embedded server first: python -m replytics.embedded start")
    password = secrets.token_urlsafe(16)
    with _connect(SUPERUSER, "postgres") as server:
        _drop(server)
        try:
            server.execute(f"CREATE DATABASE {SCRATCH} OWNER {OWNER_LOGIN}")
            server.execute(
                sql.SQL(
                    "CREATE ROLE {} LOGIN BYPASSRLS PASSWORD {} IN ROLE pg_read_all_data"
                ).format(sql.Identifier(BYPASSING_LOGIN), sql.Literal(password))
            )
            _set_up_django(password)
            filled = _fill(options.calls, deadline=time.monotonic() + options.minutes * 60)
            _report(filled, options.rounds)
        finally:
            _drop(server)


def _connect(login: str, database: str) -> psycopg.Connection:
    url = MAIN.url(login, database)
    assert url is not None
    return psycopg.connect(url, autocommit=True)


def _drop(server: psycopg.Connection) -> None:
    server.execute(f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)")
    server.execute(f"DROP ROLE IF EXISTS {BYPASSING_LOGIN}")


def _set_up_django(password: str) -> None:
    """The product's settings on the scratch database, and a connection that bypasses policies."""
    serving, owner = MAIN.url(SERVING_LOGIN, SCRATCH), MAIN.url(OWNER_LOGIN, SCRATCH)
    assert serving is not None
    assert owner is not None
    os.environ |= {"DATABASE_URL": serving, "OWNER_DATABASE_URL": owner}
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    os.environ["DJANGO_SETTINGS_MODULE"] = "replytics.settings"
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    connections.settings["bypassing"] = connections.settings["default"] | {
        "USER": BYPASSING_LOGIN,
        "PASSWORD": password,
    }
    connections["bypassing"].ensure_connection()
    connections["bypassing"].execute_wrappers.clear()
    call_command("migrate", verbosity=0)


def _fill(calls: int, *, deadline: float) -> int:
    """Fill the tables, as many calls as the time allows; returns how many."""
    filled = 0
    with _connect(OWNER_LOGIN, SCRATCH) as owner:
        late = owner.execute(LATE_INDEXES).fetchall()
        for name, _ in late:
            owner.execute(f"DROP INDEX {name}")
        for table in TABLES:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        owner.execute(PREPARE)
        for first in track(range(0, calls, BATCH), "filling"):
            if time.monotonic() > deadline:
                break
            batch = {"first": first, "last": min(first + BATCH, calls) - 1}
            for statement in (FILL_CALLS, FILL_METADATA, FILL_WORDS):
                owner.execute(statement, batch)
            filled = batch["last"] + 1
        for table in TABLES:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        for _, definition in track(late, "indexing"):
            owner.execute(definition)
        for table in TABLES:
            owner.execute(f"VACUUM ANALYZE {table}")
    return filled


def _queries(line: str) -> dict[str, tuple[Query, Query, float]]:
    """By name: the query with isolation, the same without, and the ratio it should stay below."""
    from django.contrib.postgres.search import SearchQuery
    from django.db.models import Count, QuerySet

    from calls.models import Call, CallMetadata, CallSearch

    # Each call builds its queryset, as a request does.
    scoped = Call.objects

    def plain() -> Any:
        return QuerySet(Call, using="bypassing").filter(phone_id=line)

    def of(model: Any, **condition: Any) -> Any:
        rows: Any = QuerySet(model, using="bypassing").filter(phone_id=line, **condition)
        return plain().filter(id__in=rows.values("call_id"))

    def said(text: str) -> Any:
        query = SearchQuery(text, config="app.words", search_type="websearch")
        return of(CallSearch, document=query)

    def counted(rows: Any) -> Any:
        return rows.order_by().values_list("status").annotate(n=Count("id"))

    lists = {
        "latest 20": (lambda: scoped.all()[:20], lambda: plain()[:20]),
        "count by status": (lambda: counted(scoped.all()), lambda: counted(plain())),
        "caller prefix": (
            lambda: scoped.filter(caller_number__prefix="+141")[:20],
            lambda: plain().filter(caller_number__prefix="+141")[:20],
        ),
    }
    searches = {
        "tags @>, rare": (
            lambda: scoped.search(all_tags=["complaint"], limit=20)[:20],
            lambda: of(CallMetadata, tags__contains=["complaint"])[:20],
        ),
        "tags @>, common": (
            lambda: scoped.search(all_tags=["returning"], limit=20)[:20],
            lambda: of(CallMetadata, tags__contains=["returning"])[:20],
        ),
        "metadata @>": (
            lambda: scoped.search(metadata={"campaign": 7}, limit=20)[:20],
            lambda: of(CallMetadata, metadata__contains={"campaign": 7})[:20],
        ),
        "words, rare": (
            lambda: scoped.search(words="w20000", limit=20)[:20],
            lambda: said("w20000")[:20],
        ),
        "words, common": (
            lambda: scoped.search(words="w20", limit=20)[:20],
            lambda: said("w20")[:20],
        ),
        "tags @> and status": (
            lambda: scoped.search(all_tags=["vip"]).filter(status="completed")[:20],
            lambda: of(CallMetadata, tags__contains=["vip"]).filter(status="completed")[:20],
        ),
    }
    return {name: (*pair, 1.15) for name, pair in lists.items()} | {
        name: (*pair, 1.5) for name, pair in searches.items()
    }


def _report(filled: int, rounds: int) -> None:
    from django.db import connection

    from tenants.scoping import tenant

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    table = Table(title=f"{filled:,} calls, PostgreSQL {version}, {rounds} interleaved runs")
    for heading in ("line", "query", "rows", "without, ms", "with, ms", "ratio", "target"):
        table.add_column(heading, justify="left" if heading in {"line", "query"} else "right")
    for size, line in {"biggest": "pn_0", "middle": "pn_250", "smallest": "pn_999"}.items():
        with tenant(line):
            for name, (isolated, plain, target) in _queries(line).items():
                expected = list(plain())
                if sorted(map(str, isolated())) != sorted(map(str, expected)):
                    sys.exit(f"{name} of the {size} line differs with and without isolation")
                with_ms, without_ms, ratio = _compare(isolated, plain, rounds)
                table.add_row(
                    *(size, name, str(len(expected)), f"{without_ms:.2f}", f"{with_ms:.2f}"),
                    *(f"{ratio:.2f}", f"{'' if ratio <= target else 'over '}{target}"),
                )
    Console(width=100).print(table)


def _compare(isolated: Query, plain: Query, rounds: int) -> tuple[float, float, float]:
    """Median milliseconds of each, and the median ratio; they take turns in going first."""
    pairs = []
    for turn in range(rounds + 2):
        taken: dict[Query, float] = {}
        for query in (isolated, plain) if turn % 2 else (plain, isolated):
            start = time.perf_counter()
            list(query())
            taken[query] = (time.perf_counter() - start) * 1000
        pairs.append((taken[isolated], taken[plain]))
    measured = pairs[2:]
    ratio = statistics.median(one / other for one, other in measured)
    isolated_ms, plain_ms = (statistics.median(side) for side in zip(*measured, strict=True))
    return isolated_ms, plain_ms, ratio


if __name__ == "__main__":
    main()
