"""Statistics read exactly at every moment, against the schema document's ways, on the same calls.

    python -m bench.analytics [--calls 50000]

The last 90 days of the biggest line, by day: our read, with everything rolled up and with new
calls that wait; the document's GROUP BY over the raw rows, as it is (an index has its two counts)
and with the columns that our read has; and what a materialized view costs to be as fresh. Then
what the trigger of the queue adds to an INSERT.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from bench.alone import run_alone
from bench.connections import set_up_django
from bench.database import as_serving_login, as_superuser
from bench.rows import Row, in_milliseconds
from bench.timing import by_turns, median_ratio

LINE = "pn_0"
DAYS = 90
WAITING = 1_000
LAST = datetime.now(UTC).date()
FIRST = LAST - timedelta(days=DAYS - 1)
RANGE = {"line": LINE, "since": FIRST}
# Within the last hour, which has other calls too.
NEW_CALLS = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, created_at)
SELECT 'pn_' || floor(power(random(), 4) * 1000)::int, '+14155550100', 'CA' || gen_random_uuid(),
    'completed', date_trunc('hour', now()) - interval '5 minutes' + n * interval '1 ms'
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


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data with so many calls, which gets more of them."""
    set_up_django()
    with as_superuser() as server:
        server.execute(VIEW)
        counted = require_truth(server)
        yield from compare(server, f"{DAYS} days of {counted:,} calls")
        server.execute(NEW_CALLS, {"calls": WAITING})
        counted = require_truth(server)
        yield from compare(server, f"the same while {WAITING:,} new calls wait")
        row = server.execute(FROM_VIEW, RANGE).fetchone()
        assert row is not None
        taken = by_turns(
            {"ours": roll_up, "view": lambda: server.execute(REFRESH)},
            rounds=3,
            begin=lambda: server.execute(NEW_CALLS, {"calls": WAITING}),
        )
        yield Row(
            work=f"becoming fresh after {WAITING:,} new calls",
            peer="REFRESH MATERIALIZED VIEW CONCURRENTLY",
            ours=in_milliseconds(taken["ours"]),
            theirs=in_milliseconds(taken["view"]),
            ratio=median_ratio(taken["view"], taken["ours"]),
            note=f"the view was {counted - int(str(row[0]))} calls behind until then, ours none",
        )
        require_truth(server)
        yield from cost_of_the_queue(server, rounds=11)


def compare(server: "psycopg.Connection[Any]", work: str) -> Iterator[Row]:
    def group(sql: str) -> Callable[[], object]:
        return lambda: server.execute(sql, RANGE).fetchall()

    notes = {"GROUP BY of the document": "the document's columns come from an index alone"}
    acts = {
        "ours": read,
        "GROUP BY of the document": group(DOCUMENT),
        "GROUP BY with our columns": group(DOCUMENT_IN_FULL),
    }
    taken = by_turns(acts, rounds=31)
    for peer in list(taken)[1:]:
        yield Row(
            work=work,
            peer=peer,
            ours=in_milliseconds(taken["ours"]),
            theirs=in_milliseconds(taken[peer]),
            ratio=median_ratio(taken[peer], taken["ours"]),
            target=">= 50",
            note=notes.get(peer, ""),
        )


def roll_up() -> None:
    from analytics import rollups
    from tenancy import all_tenants

    with all_tenants("bench"):
        rollups.roll_up()


def read() -> Any:
    from analytics.queries import daily
    from tenancy import tenant

    with tenant(LINE):
        return daily(first=FIRST, last=LAST)


def require_truth(server: "psycopg.Connection[Any]") -> int:
    """How many calls there are, which our read must say too."""
    row = server.execute(RAW_COUNT, RANGE).fetchone()
    assert row is not None
    counted = sum(counts.total_calls for counts in read().values())
    if row[0] != counted:
        raise SystemExit(f"our read counts {counted:,} calls, there are {row[0]:,}")
    return int(counted)


INSERT = """
INSERT INTO calls (phone_id, caller_number, call_sid, status)
VALUES ('pn_1', '+14155550000', %s, 'ringing')
"""
INSERT_MANY = """
INSERT INTO calls (phone_id, caller_number, call_sid, status)
SELECT 'pn_' || mod(n, 10), '+14155550000', 'CA' || gen_random_uuid(), 'ringing'
FROM generate_series(1, 500) n
"""
AS_STAFF = "SELECT set_config('role', 'replytics_staff', false)"
AS_LINE = "SELECT set_config('app.phone_id', 'pn_1', false)"


def single(writer: "psycopg.Connection[Any]", inserts: int) -> None:
    for _ in range(inserts):
        writer.execute(INSERT, [str(uuid.uuid4())])


def cost_of_the_queue(server: "psycopg.Connection[Any]", *, rounds: int) -> Iterator[Row]:
    """An INSERT with the trigger that queues its hour, and without."""

    def in_one_transaction(writer: "psycopg.Connection[Any]") -> None:
        with writer.transaction():
            single(writer, 200)

    ways: dict[str, tuple[str, int, Callable[[psycopg.Connection[Any]], object]]] = {
        "one by one, each committed": (AS_STAFF, 100, lambda writer: single(writer, 100)),
        "one by one, in one transaction": (AS_STAFF, 200, in_one_transaction),
        "the same as the line itself": (AS_LINE, 200, in_one_transaction),
        "500 in a statement": (AS_STAFF, 1_000, lambda w: [w.execute(INSERT_MANY) for _ in "12"]),
    }
    for title, (scope, inserts, write) in ways.items():
        taken: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
        with as_serving_login() as writer:
            writer.execute(scope)
            for turn in range(rounds + 1):
                for switch in ("ENABLE", "DISABLE") if turn % 2 else ("DISABLE", "ENABLE"):
                    server.execute(f"ALTER TABLE calls {switch} TRIGGER calls_queue_inserted")
                    writer.execute(INSERT, [str(uuid.uuid4())])  # plans anew
                    begun = time.perf_counter()
                    write(writer)
                    if turn:
                        taken[switch].append((time.perf_counter() - begun) / inserts)
        yield Row(
            work=f"INSERT {title}",
            peer="without the queue of the statistics",
            ours=in_milliseconds(taken["ENABLE"]),
            theirs=in_milliseconds(taken["DISABLE"]),
            ratio=median_ratio(taken["ENABLE"], taken["DISABLE"]),
        )
    server.execute("ALTER TABLE calls ENABLE TRIGGER calls_queue_inserted")


if __name__ == "__main__":
    run_alone("analytics", rows, __doc__)
