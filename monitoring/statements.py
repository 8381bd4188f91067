"""What statements did in the last hours, from the differences between snapshots."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.text import Truncator

from monitoring.masking import mask
from monitoring.server import rows

HOUR = timedelta(hours=1)
MIN_CALLS = 20  # below that a mean says little
LISTED = 20


def shortened(text: str, length: int) -> str:
    """The text, with an ellipsis in place of what is beyond `length` characters."""
    return Truncator(text).chars(length)


class Order(StrEnum):
    """What to put first."""

    TOTAL = "total"
    MEAN = "mean"
    CALLS = "calls"
    ROWS = "rows"
    IO = "io"
    TEMPORARY = "temporary"


ORDER_LABELS = {
    Order.TOTAL: "Total time",
    Order.MEAN: "Mean time",
    Order.CALLS: "Calls",
    Order.ROWS: "Rows",
    Order.IO: "Blocks read",
    Order.TEMPORARY: "Temporary blocks",
}
ORDER_BY = {
    Order.TOTAL: "total_ms",
    Order.MEAN: "total_ms / calls",
    Order.CALLS: "calls",
    Order.ROWS: "rows",
    Order.IO: "blocks_read",
    Order.TEMPORARY: "temporary_blocks",
}

IN_SNAPSHOTS = """
WITH busy AS (
    SELECT statement_id, sum(calls) AS calls, sum(total_ms) AS total_ms, sum(rows) AS rows,
        sum(blocks_hit) AS blocks_hit, sum(blocks_read) AS blocks_read,
        sum(temporary_blocks) AS temporary_blocks, sum(wal_bytes) AS wal_bytes,
        min(began_at) AS since
    FROM statement_activity WHERE taken_at > now() - %(window)s GROUP BY statement_id
)
SELECT s.id::text AS statement, s.role, s.text, busy.*,
    100 * busy.total_ms / nullif(sum(busy.total_ms) OVER (), 0) AS share
FROM busy JOIN statements s ON s.id = statement_id
"""
# Before there are two snapshots: since the server's statistics were reset.
ON_THE_SERVER = """
SELECT '-' AS statement, pg_get_userbyid(userid)::text AS role, query AS text, calls,
    total_exec_time AS total_ms, rows, shared_blks_hit AS blocks_hit,
    shared_blks_read AS blocks_read, temp_blks_written AS temporary_blocks, wal_bytes,
    (SELECT stats_reset FROM {schema}.pg_stat_statements_info) AS since,
    100 * total_exec_time / nullif(sum(total_exec_time) OVER (), 0) AS share
FROM {schema}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
AND queryid IS NOT NULL AND calls > 0
"""
WORST = """
SELECT * FROM ({statements}) AS s WHERE calls >= %(min_calls)s
ORDER BY {order} DESC LIMIT {limit}
"""
HAS_SNAPSHOTS = "SELECT EXISTS (SELECT FROM statement_activity)"
SCHEMA = """
SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
WHERE extname = 'pg_stat_statements'
"""


@dataclass(frozen=True)
class Activity:
    """What one statement of one role did since a moment; `text` has its values removed."""

    statement: str  # the id of its row in `statements`, or a dash
    role: str
    text: str
    calls: int
    total_ms: float
    rows: int
    blocks_hit: int
    blocks_read: int
    temporary_blocks: int
    wal_bytes: int
    share: float  # percent of the time of all statements
    since: datetime | None

    @property
    def mean_ms(self) -> float:
        return self.total_ms / self.calls


def schema_of_extension(cursor: Any) -> str | None:
    """Where pg_stat_statements is, quoted; None where it is not."""
    cursor.execute(SCHEMA)
    row = cursor.fetchone()
    return row[0] if row else None


def activity(
    cursor: Any, *, order: Order, window: timedelta = HOUR, min_calls: int = 1
) -> list[Activity]:
    """The first statements in that order; [] without pg_stat_statements and without snapshots."""
    cursor.execute(HAS_SNAPSHOTS)
    statements = IN_SNAPSHOTS
    if not cursor.fetchone()[0]:
        schema = schema_of_extension(cursor)
        if schema is None:
            return []
        statements = ON_THE_SERVER.format(schema=schema)
    query = WORST.format(statements=statements, order=ORDER_BY[order], limit=LISTED)
    found = rows(cursor, query, {"window": window, "min_calls": min_calls})
    return [
        Activity(
            statement=row["statement"],
            role=row["role"],
            text=mask(row["text"]).text,
            calls=int(row["calls"]),
            total_ms=float(row["total_ms"]),
            rows=int(row["rows"]),
            blocks_hit=int(row["blocks_hit"]),
            blocks_read=int(row["blocks_read"]),
            temporary_blocks=int(row["temporary_blocks"]),
            wal_bytes=int(row["wal_bytes"]),
            share=float(row["share"] or 0),
            since=row["since"],
        )
        for row in found
    ]
