"""The tables that SQL names, and the sessions that hold locks on them."""

import re
from typing import Any

from django.db.backends.utils import CursorWrapper

STRINGS = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|--[^\n]*", re.DOTALL)
# Named by itself or by one of its indexes, with its partitions. Nothing here waits for a lock on
# the table, so the size is that of the last ANALYZE.
TABLES = """
WITH RECURSIVE touched (root, member) AS (
    SELECT t.oid, t.oid FROM pg_class AS c LEFT JOIN pg_index ON indexrelid = c.oid
    JOIN pg_class AS t ON t.oid = coalesce(indrelid, c.oid)
    WHERE c.relname = ANY(%s) AND t.relkind IN ('r', 'p', 'm')
    AND t.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    UNION
    SELECT root, inhrelid FROM touched JOIN pg_inherits ON inhparent = member
)
SELECT format('%%s: about %%s rows, %%s', root::regclass,
    ltrim(to_char(sum(greatest(c.reltuples, 0)), '999,999,999,999,990')),
    pg_size_pretty(sum(c.relpages + coalesce(toast.relpages, 0))
        * current_setting('block_size')::bigint)), array_agg(member::bigint)
FROM touched JOIN pg_class AS c ON c.oid = member
LEFT JOIN pg_class AS toast ON toast.oid = c.reltoastrelid
GROUP BY root ORDER BY 1
"""
SESSIONS = """
SELECT format('process %%s (%%s)', a.pid, concat_ws(', ', coalesce(usename, backend_type),
    nullif(application_name, ''), state,
    'transaction open for ' || extract(epoch FROM clock_timestamp() - xact_start)::int || ' s',
    string_agg(DISTINCT mode || ' on ' || relation::regclass, ', ')))
FROM pg_stat_activity AS a LEFT JOIN pg_locks AS l
    ON l.pid = a.pid AND granted AND database = datid AND relation = ANY(%(tables)s)
WHERE datname = current_database() AND a.pid NOT IN (pg_backend_pid(), %(ignore)s)
AND (l.pid IS NOT NULL OR (%(any)s AND xact_start IS NOT NULL))
AND coalesce(clock_timestamp() - xact_start >= make_interval(secs => %(min_age)s), true)
GROUP BY a.pid, usename, backend_type, application_name, state, xact_start ORDER BY xact_start
"""


def tables_in(cursor: CursorWrapper, sql: str) -> dict[str, list[int]]:
    """The tables that the SQL names, described with their sizes; the oids of all partitions."""
    cursor.execute(TABLES, [re.findall(r"\w+", STRINGS.sub("", sql))])
    return dict(cursor.fetchall())


def blockers_of(cursor: CursorWrapper, sql: str, *, min_age: float, ignore: int = 0) -> list[str]:
    """The sessions with a lock on these tables in a transaction older than min_age seconds.

    An index built CONCURRENTLY waits for every open transaction: then all of those.
    """
    tables = [oid for oids in tables_in(cursor, sql).values() for oid in oids]
    waits_for_all = "CONCURRENTLY" in sql.upper()
    values: dict[str, Any] = {
        "tables": tables,
        "any": waits_for_all,
        "min_age": min_age,
        "ignore": ignore,
    }
    cursor.execute(SESSIONS, values)
    return [description for (description,) in cursor.fetchall()]
