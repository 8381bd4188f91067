"""What archiving would move, and what is left for VACUUM afterwards."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from calls.models import ENDED

BY_MONTH_AND_LINE = """
SELECT date_trunc('month', c.created_at, 'UTC'), c.phone_id, count(*),
    sum(pg_column_size(c)) + coalesce(sum(pg_column_size(m)), 0)
FROM calls c LEFT JOIN call_metadata m ON m.call_id = c.id
WHERE c.created_at < %(cut_off)s AND c.status = ANY(%(ended)s) AND NOT c.legal_hold
    AND (%(phone_id)s::text IS NULL OR c.phone_id = %(phone_id)s)
GROUP BY 1, 2 ORDER BY 1, 2
"""
DEAD_ROWS = """
SELECT s.relname, s.n_dead_tup,
    coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold')::float)
    + coalesce(o.scale, current_setting('autovacuum_vacuum_scale_factor')::float)
    * greatest(c.reltuples, 0)
FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid, LATERAL (
    SELECT max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold')::float
            AS threshold,
        max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor')::float
            AS scale
    FROM pg_options_to_table(c.reloptions)
) o
WHERE s.schemaname = 'public' AND s.relname IN ('calls', 'call_metadata')
ORDER BY s.relname DESC
"""


@dataclass(frozen=True)
class Forecast:
    """What one line had in one month (UTC); bytes as stored, without indexes."""

    month: datetime
    phone_id: str
    calls: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}  {self.phone_id}  {self.calls:,} calls  {self.bytes:,} bytes"


@dataclass(frozen=True)
class DeadRows:
    """The dead rows of a table, and the number at which autovacuum starts."""

    table: str
    dead: int
    autovacuum_from: int

    def __str__(self) -> str:
        due = "is due" if self.dead > self.autovacuum_from else "is not due yet"
        return (
            f"{self.table}: {self.dead:,} dead rows;"
            f" autovacuum {due} (threshold: {self.autovacuum_from:,})"
        )


def forecast(*, cut_off: datetime, phone_id: str | None = None) -> list[Forecast]:
    """By month and line; reads the calls before cut_off once. Needs the scope of staff."""
    with connection.cursor() as cursor:
        cursor.execute(
            BY_MONTH_AND_LINE, {"cut_off": cut_off, "phone_id": phone_id, "ended": ENDED}
        )
        return [Forecast(*row) for row in cursor.fetchall()]


def dead_rows() -> list[DeadRows]:
    """By table, as far as the statistics know: they lag by a second."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(DEAD_ROWS)
        return [DeadRows(table, dead, int(limit)) for table, dead, limit in cursor.fetchall()]
