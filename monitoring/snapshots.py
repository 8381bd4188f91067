"""The server's counters, which the worker stores every five minutes to compare them.

The server's own counters are never reset: others may read them too.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from monitoring.masking import mask
from monitoring.models import Snapshot, StatementActivity, TableSize
from monitoring.server import LOCK_TIMEOUT, STATEMENT_TIMEOUT
from monitoring.statements import schema_of_extension
from tenancy import all_tenants

COUNTERS = """
INSERT INTO server_snapshots (taken_at, started_at, database_bytes, counters)
SELECT clock_timestamp(), pg_postmaster_start_time(), pg_database_size(current_database()),
    jsonb_build_object('since', stats_reset, 'blocks_hit', blks_hit, 'blocks_read', blks_read,
        'committed', xact_commit, 'rolled_back', xact_rollback, 'deadlocks', deadlocks,
        'temporary_files', temp_files, 'temporary_bytes', temp_bytes,
        'wal_bytes', (SELECT wal_bytes FROM pg_stat_wal)) || ({checkpoints}) || ({forgotten})
FROM pg_stat_database WHERE datname = current_database()
RETURNING id, taken_at
"""
CHECKPOINTS_UNTIL_16 = """
SELECT jsonb_build_object('checkpoints_timed', checkpoints_timed,
    'checkpoints_forced', checkpoints_req) FROM pg_stat_bgwriter
"""
CHECKPOINTS = """
SELECT jsonb_build_object('checkpoints_timed', num_timed,
    'checkpoints_forced', num_requested) FROM pg_stat_checkpointer
"""
FORGOTTEN = "SELECT jsonb_build_object('forgotten', dealloc) FROM {schema}.pg_stat_statements_info"

# Only statements that were called since the last snapshot. A counter that fell was evicted or
# reset, and started again from 0. A statement seen for the first time is new, unless this is the
# first snapshot.
STATEMENTS = """
WITH seen AS (
    SELECT queryid, pg_get_userbyid(userid)::text AS role, toplevel, calls,
        total_exec_time AS total_ms, rows, shared_blks_hit AS blocks_hit,
        shared_blks_read AS blocks_read, temp_blks_written AS temporary_blocks, wal_bytes
    FROM {schema}.pg_stat_statements(false)
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND queryid IS NOT NULL
), known AS (
    SELECT * FROM statements
), rose AS (
    SELECT seen.*, known.calls IS NOT NULL AND known.calls <= seen.calls AS goes_on,
        known.calls AS calls0, known.total_ms AS total_ms0, known.rows AS rows0,
        known.blocks_hit AS blocks_hit0, known.blocks_read AS blocks_read0,
        known.temporary_blocks AS temporary_blocks0, known.wal_bytes AS wal_bytes0
    FROM seen LEFT JOIN known USING (queryid, role, toplevel)
    WHERE known.calls IS DISTINCT FROM seen.calls
), differences AS (
    SELECT queryid, role, toplevel,
        calls - CASE WHEN goes_on THEN calls0 ELSE 0 END AS calls,
        total_ms - CASE WHEN goes_on THEN total_ms0 ELSE 0 END AS total_ms,
        rows - CASE WHEN goes_on THEN rows0 ELSE 0 END AS rows,
        blocks_hit - CASE WHEN goes_on THEN blocks_hit0 ELSE 0 END AS blocks_hit,
        blocks_read - CASE WHEN goes_on THEN blocks_read0 ELSE 0 END AS blocks_read,
        temporary_blocks - CASE WHEN goes_on THEN temporary_blocks0 ELSE 0 END AS temporary_blocks,
        wal_bytes - CASE WHEN goes_on THEN wal_bytes0 ELSE 0 END AS wal_bytes
    FROM rose
), kept AS (
    INSERT INTO statements (queryid, role, toplevel, calls, total_ms, rows, blocks_hit,
        blocks_read, temporary_blocks, wal_bytes)
    SELECT queryid, role, toplevel, calls, total_ms, rows, blocks_hit, blocks_read,
        temporary_blocks, wal_bytes
    FROM rose
    ON CONFLICT (queryid, role, toplevel) DO UPDATE SET
        (calls, total_ms, rows, blocks_hit, blocks_read, temporary_blocks, wal_bytes) =
        (excluded.calls, excluded.total_ms, excluded.rows, excluded.blocks_hit,
         excluded.blocks_read, excluded.temporary_blocks, excluded.wal_bytes)
    RETURNING id, queryid, role, toplevel
), ranked AS (
    SELECT kept.id, d.*, least(rank() OVER (ORDER BY total_ms DESC),
        rank() OVER (ORDER BY d.calls DESC), rank() OVER (ORDER BY rows DESC),
        rank() OVER (ORDER BY blocks_read DESC),
        rank() OVER (ORDER BY temporary_blocks DESC)) AS place
    FROM differences d JOIN kept USING (queryid, role, toplevel)
)
INSERT INTO statement_activity (taken_at, began_at, statement_id, calls, total_ms, rows,
    blocks_hit, blocks_read, temporary_blocks, wal_bytes)
SELECT %(taken_at)s, previous.taken_at, id, calls, greatest(total_ms, 0), greatest(rows, 0),
    greatest(blocks_hit, 0), greatest(blocks_read, 0), greatest(temporary_blocks, 0),
    greatest(wal_bytes, 0)
FROM ranked, (SELECT taken_at FROM server_snapshots WHERE id < %(snapshot)s
              ORDER BY id DESC LIMIT 1) AS previous
WHERE place <= %(places)s AND EXISTS (SELECT FROM known)
"""
ADVISORY_LOCK = 0x7265706C_00000001  # any number that nobody else locks
PLACES = 50  # in each order; the rest of an interval is not kept

WITHOUT_TEXT = "SELECT array_agg(DISTINCT queryid) FROM statements WHERE text = ''"
TEXTS = """
SELECT DISTINCT ON (queryid) queryid, query FROM {schema}.pg_stat_statements(true)
WHERE queryid = ANY (%(ids)s)
ORDER BY queryid, query IS NULL
"""
KEEP_TEXTS = """
UPDATE statements s SET text = kept.text
FROM unnest(%(ids)s::bigint[], %(texts)s::text[]) AS kept (queryid, text)
WHERE s.queryid = kept.queryid AND s.text = ''
"""
# Statements that the server dropped and no activity refers to.
FORGET_STATEMENTS = """
DELETE FROM statements s
WHERE NOT EXISTS (SELECT FROM statement_activity WHERE statement_id = s.id)
AND NOT EXISTS (SELECT FROM {schema}.pg_stat_statements(false) p
    WHERE p.queryid = s.queryid AND p.toplevel = s.toplevel
    AND pg_get_userbyid(p.userid)::text = s.role)
"""
# Partitions count with their table. Once an hour is enough for a forecast.
TABLE_SIZES = """
INSERT INTO table_sizes (taken_at, relation, bytes, index_bytes, rows, dead_rows)
SELECT now(), root::regclass::text, sum(pg_total_relation_size(c.oid)),
    sum(pg_indexes_size(c.oid)), sum(greatest(reltuples, 0)),
    coalesce(sum(pg_stat_get_dead_tuples(c.oid)), 0)
FROM pg_class c, LATERAL (SELECT coalesce(pg_partition_root(c.oid), c.oid) AS root) AS r
WHERE relkind IN ('r', 'm') AND relpersistence <> 't'
AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
AND NOT EXISTS (SELECT FROM table_sizes WHERE taken_at > now() - interval '1 hour')
GROUP BY root
"""
# After two weeks the first sizes of each day are enough.
THIN_OUT_SIZES = """
DELETE FROM table_sizes WHERE taken_at < now() - interval '14 days'
AND taken_at >= date_trunc('day', taken_at, 'UTC') + interval '1 hour'
"""
SIZES_KEPT_FOR = timedelta(days=400)


def take_snapshot() -> Snapshot:
    """Store the counters of the server, of statements, and hourly the sizes of tables."""
    with (
        all_tenants("monitoring snapshot"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}")
        # One at a time: two at once would count the same calls twice.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}")
        schema = schema_of_extension(cursor)
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        [version] = cursor.fetchone()
        cursor.execute(
            COUNTERS.format(
                checkpoints=CHECKPOINTS if version >= 17 else CHECKPOINTS_UNTIL_16,
                forgotten=FORGOTTEN.format(schema=schema) if schema else "SELECT '{}'::jsonb",
            )
        )
        snapshot, taken_at = cursor.fetchone()
        if schema:
            _statements(cursor, schema, snapshot=snapshot, taken_at=taken_at)
        cursor.execute(TABLE_SIZES)
        return Snapshot.objects.get(pk=snapshot)


def _statements(cursor: Any, schema: str, **values: Any) -> None:
    cursor.execute(STATEMENTS.format(schema=schema), values | {"places": PLACES})
    cursor.execute(WITHOUT_TEXT)
    [ids] = cursor.fetchone()
    if ids:
        cursor.execute(TEXTS.format(schema=schema), {"ids": ids})
        texts = {
            queryid: mask(text or "").text or "(text not available)"
            for queryid, text in cursor.fetchall()
        }
        cursor.execute(KEEP_TEXTS, {"ids": list(texts), "texts": list(texts.values())})


def forget_old_snapshots() -> None:
    """Delete what is older than MONITORING_RETENTION_DAYS, and thin the sizes out."""
    with all_tenants("monitoring retention"), connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        [now] = cursor.fetchone()
        old = now - timedelta(days=settings.MONITORING_RETENTION_DAYS)
        StatementActivity.objects.filter(taken_at__lt=old).delete()
        # A month of sizes of the whole database, for its forecast.
        Snapshot.objects.filter(taken_at__lt=min(old, now - timedelta(days=31))).delete()
        TableSize.objects.filter(taken_at__lt=now - SIZES_KEPT_FOR).delete()
        cursor.execute(THIN_OUT_SIZES)
        if schema := schema_of_extension(cursor):
            cursor.execute(FORGET_STATEMENTS.format(schema=schema))
