"""Statistics read exactly at every moment, against the schema document's ways, on the same calls.

    python -m bench.analytics --calls 2000000

A scratch database in a cluster of its own (.postgres/bench), durable as in production, filled in
three steps to one, two and four times a history of equal density over 1,000 skewed lines. At each
step it times the last 90 days of the biggest line, by day: our read, with everything rolled up and
with a backlog of new calls; the document's GROUP BY over the raw rows, as it is (an index has its
two counts) and with the columns that our read has; and what a materialized view costs to be as
fresh. All in the same run, as medians, with how often each goes into either GROUP BY. Then the
rate of the roll-up and what the trigger of the queue adds to an INSERT.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg

from bench.archive import CLUSTER, connect, environment
from replytics.embedded import OWNER_LOGIN, ROOT, SERVING_LOGIN, SUPERUSER

SCRATCH = "bench_analytics"
BIGGEST = "pn_0"
DAYS = 90
BATCH = 100_000
LAST = date(2026, 6, 30)
# A tenth of the calls is the first line's, the last one has a three-thousandth part.
FILL = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, duration, transcript, ai_summary,
    created_at, updated_at)
SELECT 'pn_' || floor(power(random(), 3) * 1000)::int,
    '+1' || (2000000000 + floor(power(random(), 2) * 100000)::bigint), 'CA' || gen_random_uuid(),
    (ARRAY['completed', 'completed', 'completed', 'answered', 'failed'])[1 + n %% 5],
    floor(random() * 600), repeat('a line of the transcript ', 12), 'summary ' || n, begun, begun
FROM (SELECT n, timestamptz '2026-07-01Z' - interval '90 days' * (%(step)s + random()) AS begun
    FROM generate_series(1, %(calls)s::int) n) AS clock
"""
LINES = """
INSERT INTO phone_numbers (id, number, business_name)
SELECT 'pn_' || n, '+1415' || (5550000 + n), 'Business ' || n FROM generate_series(0, 999) AS n
"""
NEW_CALLS = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, created_at)
SELECT 'pn_' || floor(power(random(), 3) * 1000)::int, '+14155550100', 'CA' || gen_random_uuid(),
    'completed', timestamptz '2026-06-30 23:30Z' + n * interval '1 ms'
FROM generate_series(1, %(calls)s::int) n
"""
# The schema document's daily query, word for word.
DOCUMENT = """
SELECT
  DATE_TRUNC('day', created_at) as date,
  COUNT(*) as total_calls,
  COUNT(*) FILTER (WHERE status = 'completed') as successful_calls
FROM calls
WHERE phone_id = %(line)s AND created_at >= %(since)s
GROUP BY DATE_TRUNC('day', created_at)
ORDER BY date DESC
"""
# With the columns of its daily_call_stats.
DOCUMENT_IN_FULL = DOCUMENT.replace(
    "FROM calls",
    ", COUNT(*) FILTER (WHERE status IN ('answered', 'completed')), SUM(duration), AVG(duration),"
    " COUNT(DISTINCT caller_number) FROM calls",
)
VIEW = """
CREATE MATERIALIZED VIEW document_daily AS
SELECT phone_id, DATE_TRUNC('day', created_at) AS date, COUNT(*) AS total_calls,
    COUNT(*) FILTER (WHERE status = 'completed') AS successful_calls,
    COUNT(DISTINCT caller_number) AS unique_callers
FROM calls GROUP BY 1, 2;
CREATE UNIQUE INDEX ON document_daily (phone_id, date);
"""
REFRESH = "REFRESH MATERIALIZED VIEW CONCURRENTLY document_daily"
FROM_VIEW = """
SELECT sum(total_calls) FROM document_daily WHERE phone_id = %(line)s AND date >= %(since)s
"""
RAW_COUNT = "SELECT count(*) FROM calls WHERE phone_id = %(line)s AND created_at >= %(since)s"
FIRST = LAST - timedelta(days=DAYS - 1)
RANGE = {"line": BIGGEST, "since": FIRST}


def make_database() -> None:
    with connect(SUPERUSER, "postgres") as server:
        server.execute(f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {SCRATCH} OWNER {OWNER_LOGIN}")
    migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
    if subprocess.run(migrate, env=environment(SCRATCH), check=False).returncode:
        raise SystemExit("the scratch database could not be migrated")
    os.environ.update(environment(SCRATCH))
    os.environ["DJANGO_SETTINGS_MODULE"] = "replytics.settings"
    import django

    django.setup()


def fill(server: "psycopg.Connection[Any]", calls: int, step: int) -> None:
    """Calls of the 90 days that lie `step` times 90 days back, without any statistics yet."""
    server.execute("ALTER TABLE calls DISABLE TRIGGER USER")
    for first in range(0, calls, BATCH):
        server.execute(FILL, {"calls": min(BATCH, calls - first), "step": step})
    server.execute("ALTER TABLE calls ENABLE TRIGGER USER")
    server.execute(
        "INSERT INTO rollup_queue SELECT phone_id, date_trunc('hour', created_at, 'UTC')"
        " FROM calls WHERE created_at < timestamptz '2026-07-01Z' - interval '90 days' * %(step)s"
        " AND created_at >= timestamptz '2026-07-01Z' - interval '90 days' * (%(step)s + 1)",
        {"step": step},
    )
    server.execute("VACUUM ANALYZE")
    server.execute("CHECKPOINT")


def roll_up() -> tuple[int, float]:
    """Calls and seconds."""
    from analytics import rollups
    from tenants.scoping import all_tenants

    begun = time.perf_counter()
    with all_tenants("bench"):
        rolled = rollups.roll_up()
    return rolled.calls, time.perf_counter() - begun


def read() -> Any:
    from analytics.reading import daily
    from tenants.scoping import tenant

    with tenant(BIGGEST):
        return daily(first=FIRST, last=LAST)


def seconds(run: Callable[[], object], rounds: int) -> float:
    """The median."""
    taken = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def require_truth(server: "psycopg.Connection[Any]") -> None:
    row = server.execute(RAW_COUNT, RANGE).fetchone()
    assert row is not None
    counted = sum(counts.total_calls for counts in read().values())
    if row[0] != counted:
        raise SystemExit(f"our read counts {counted:,} calls, there are {row[0]:,}")


def compare(server: "psycopg.Connection[Any]", calls: int) -> None:
    require_truth(server)
    raw = seconds(lambda: server.execute(DOCUMENT, RANGE).fetchall(), 9)
    in_full = seconds(lambda: server.execute(DOCUMENT_IN_FULL, RANGE).fetchall(), 5)
    ours = seconds(read, 51)
    server.execute(NEW_CALLS, {"calls": 1_000})
    require_truth(server)
    waiting = seconds(read, 51)
    stale = server.execute(FROM_VIEW, RANGE).fetchone()
    true = server.execute(RAW_COUNT, RANGE).fetchone()
    assert stale is not None
    assert true is not None
    refreshing = seconds(lambda: server.execute(REFRESH), 1)
    _, rolling = roll_up()
    require_truth(server)
    print(f"{calls:,} calls, {true[0]:,} of them in {DAYS} days of the biggest line")
    for title, taken in (
        ("document's GROUP BY", raw),
        ("... with all columns", in_full),
        ("our read", ours),
        ("... while 1,000 new calls wait", waiting),
    ):
        print(f"  {title:32} {taken * 1e3:9.2f} ms {raw / taken:6.1f}x {in_full / taken:6.1f}x")
    print(
        f"  after 1,000 new calls the view is {true[0] - stale[0]} calls behind, our read none;"
        f"\n  REFRESH CONCURRENTLY {refreshing * 1e3:,.0f} ms,"
        f" our roll-up {rolling * 1e3:,.0f} ms",
        flush=True,
    )


INSERT = """
INSERT INTO calls (phone_id, caller_number, call_sid, status)
VALUES ('pn_1', '+14155550000', %s, 'ringing')
"""
INSERT_MANY = """
INSERT INTO calls (phone_id, caller_number, call_sid, status)
SELECT 'pn_' || mod(n, 10), '+14155550000', 'CA' || gen_random_uuid(), 'ringing'
FROM generate_series(1, 500) n
"""
STAFF = "SELECT set_config('role', 'replytics_staff', false)"
LINE = "SELECT set_config('app.phone_id', 'pn_1', false)"


def single(writer: "psycopg.Connection[Any]", inserts: int) -> None:
    for _ in range(inserts):
        writer.execute(INSERT, [str(uuid.uuid4())])


def cost_of_the_queue(server: "psycopg.Connection[Any]", rounds: int) -> None:
    """Prints seconds of an INSERT without the trigger and the ratio with it, in three ways."""

    def in_one_transaction(writer: "psycopg.Connection[Any]") -> None:
        with writer.transaction():
            single(writer, 400)

    ways: dict[str, tuple[str, int, Callable[[psycopg.Connection[Any]], object]]] = {
        "one by one, each committed": (STAFF, 200, lambda writer: single(writer, 200)),
        "one by one, in one transaction": (STAFF, 400, in_one_transaction),
        "... as the line itself": (LINE, 400, in_one_transaction),
        "500 in a statement": (STAFF, 2_500, lambda w: [w.execute(INSERT_MANY) for _ in "12345"]),
    }
    for title, (scope, rows, write) in ways.items():
        with connect(SERVING_LOGIN, SCRATCH) as writer:
            writer.execute(scope)
            pairs = []
            for turn in range(rounds + 1):
                taken = {}
                for switch in ("ENABLE", "DISABLE") if turn % 2 else ("DISABLE", "ENABLE"):
                    server.execute(f"ALTER TABLE calls {switch} TRIGGER calls_queue_inserted")
                    writer.execute(INSERT, [str(uuid.uuid4())])  # plans anew
                    begun = time.perf_counter()
                    write(writer)
                    taken[switch] = (time.perf_counter() - begun) / rows
                pairs.append((taken["ENABLE"], taken["DISABLE"]))
            without = statistics.median(pair[1] for pair in pairs[1:])
            ratio = statistics.median(one / other for one, other in pairs[1:])
            print(f"INSERT {title:32} {without * 1e6:7.0f} µs  {ratio:.3f}x", flush=True)
    server.execute("ALTER TABLE calls ENABLE TRIGGER calls_queue_inserted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=31, help="pairs of INSERT runs")
    options = parser.parse_args()
    started = CLUSTER.start()
    try:
        make_database()
        with connect(SUPERUSER, SCRATCH) as server:
            server.execute(LINES)
            filled = 0
            for steps in ((0,), (1,), (2, 3)):
                for step in steps:
                    fill(server, options.calls // 4, step)
                    rolled, taken = roll_up()
                    print(f"rolled up {rolled:,} calls, {rolled / taken:,.0f} a second")
                if not filled:
                    server.execute(VIEW)
                server.execute(REFRESH)
                filled += options.calls // 4 * len(steps)
                compare(server, filled)
            cost_of_the_queue(server, options.rounds)
    finally:
        with connect(SUPERUSER, "postgres") as server:
            server.execute(f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)")
        if started:
            CLUSTER.stop()


if __name__ == "__main__":
    main()
