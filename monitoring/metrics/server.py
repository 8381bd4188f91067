"""What the server as a whole did between two of our snapshots."""

from datetime import datetime
from typing import Any

from monitoring.metrics.base import Metric, Unknown
from monitoring.server import Row, Server

# The latest snapshot and the first one of the day before it, since the server's last start or
# reset; `n` is what a counter rose by.
DAY = """
latest AS (
    SELECT * FROM server_snapshots ORDER BY id DESC LIMIT 1
), earliest AS (
    SELECT s.* FROM server_snapshots s, latest
    WHERE s.taken_at > latest.taken_at - interval '1 day' AND s.started_at = latest.started_at
    AND s.counters -> 'since' IS NOT DISTINCT FROM latest.counters -> 'since'
    ORDER BY s.id LIMIT 1
), rise AS (
    SELECT key, (latest.counters ->> key)::numeric - (earliest.counters ->> key)::numeric AS n
    FROM latest, earliest, jsonb_object_keys(latest.counters) AS key WHERE key <> 'since'
), day AS (
    SELECT earliest.taken_at AS since, extract(epoch FROM latest.taken_at - earliest.taken_at)
        AS seconds, (SELECT jsonb_object_agg(key, n) FROM rise) AS rose
    FROM latest, earliest WHERE latest.id <> earliest.id
)"""


class ServerMetric(Metric):
    group = "server"
    needs_table = "server_snapshots"
    shows_good = True
    empty = (
        "it takes two snapshots since the server's start; the worker takes one every five minutes"
    )

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        found = super().rows(cursor, server)
        if found and found[0]["value"] is None:
            raise Unknown("too little happened between the snapshots to tell")
        return found

    def since(self, found: list[Row], server: Server) -> datetime | None:
        since: datetime = found[0]["since"]
        return since


class CacheHits(ServerMetric):
    name = "cache_hits"
    label = "Cache hits"
    help = "Blocks of this database found in shared_buffers, in percent; at least 10,000 blocks."
    sql = f"""
        WITH {DAY}
        SELECT current_database() AS subject, since, hit, read,
            CASE WHEN hit + read >= 10000 THEN 100 * hit / (hit + read) END AS value
        FROM day, LATERAL (SELECT (rose ->> 'blocks_hit')::numeric AS hit,
            (rose ->> 'blocks_read')::numeric AS read) AS counted
    """
    says = "{value:.1f} % of {hit:,} + {read:,} blocks were in the cache"
    fix = "See which statements read most blocks (--statements io); then shared_buffers"
    unit = "%"
    warning, critical = 98, 90
    falling = True


class Checkpoints(ServerMetric):
    name = "checkpoints"
    label = "Checkpoint pressure"
    help = "Checkpoints forced by the amount of WAL, in percent of all; of ten or more."
    sql = f"""
        WITH {DAY}
        SELECT 'server' AS subject, since, forced, timed,
            CASE WHEN forced + timed >= 10 THEN 100 * forced / (forced + timed) ELSE 0 END AS value
        FROM day, LATERAL (SELECT (rose ->> 'checkpoints_forced')::numeric AS forced,
            (rose ->> 'checkpoints_timed')::numeric AS timed) AS counted
    """
    says = "{forced} of the checkpoints were forced, {timed} came in time"
    fix = "Raise max_wal_size"
    unit = "%"
    warning, critical = 50, 90


class WalRate(ServerMetric):
    name = "wal_rate"
    label = "WAL written"
    help = "Bytes a second: what archive and replicas have to keep up with."
    sql = f"""
        WITH {DAY}
        SELECT 'server' AS subject, since, (rose ->> 'wal_bytes')::numeric AS bytes,
            (rose ->> 'wal_bytes')::numeric / seconds AS value
        FROM day
    """
    says = "{value:,.0f} bytes a second, {bytes:,} altogether"
    unit = "bytes a second"
    fix = "See which statements write most"
    warning = 20_000_000


class Deadlocks(ServerMetric):
    name = "deadlocks"
    label = "Deadlocks"
    help = "Transactions ended because two waited for each other, in a day."
    sql = f"""
        WITH {DAY}
        SELECT current_database() AS subject, since, (rose ->> 'deadlocks')::numeric AS value
        FROM day
    """
    says = "{value} deadlocks"
    fix = "The server's log names both statements; let both lock in the same order"
    unit = "deadlocks"
    warning, critical = 1, 50


class TemporaryFiles(ServerMetric):
    name = "temporary_files"
    label = "Temporary files"
    help = "Bytes a day that sorts and hashes wrote to disk because work_mem was too small."
    sql = f"""
        WITH {DAY}
        SELECT current_database() AS subject, since,
            (rose ->> 'temporary_files')::numeric AS files,
            (rose ->> 'temporary_bytes')::numeric * 86400 / seconds AS value
        FROM day
    """
    says = "{files} files, {value:,.0f} bytes a day"
    fix = "Find the statement (--statements temporary); an index that sorts, or more work_mem"
    unit = "bytes a day"
    warning, critical = 10_000_000_000, 100_000_000_000


class Rollbacks(ServerMetric):
    name = "rollbacks"
    label = "Transactions rolled back"
    help = "In percent of all; of a thousand or more."
    sql = f"""
        WITH {DAY}
        SELECT current_database() AS subject, since, rolled_back, committed,
            CASE WHEN rolled_back + committed >= 1000
            THEN 100 * rolled_back / (rolled_back + committed) ELSE 0 END AS value
        FROM day, LATERAL (SELECT (rose ->> 'rolled_back')::numeric AS rolled_back,
            (rose ->> 'committed')::numeric AS committed) AS counted
    """
    says = "{rolled_back:,} of {committed:,} transactions were rolled back"
    fix = "The log of the web server and of the worker says which errors"
    unit = "%"
    warning, critical = 20, 60


class DamagedPages(Metric):
    group = "server"
    name = "damaged_pages"
    label = "Damaged pages"
    help = "Pages whose checksum was wrong when they were read; only with data checksums on."
    empty = "data checksums are off; pg_checksums --enable switches them on, on a stopped server"
    sql = """
        SELECT coalesce(datname, 'shared tables') AS subject, checksum_failures AS value,
            checksum_last_failure AS last
        FROM pg_stat_database WHERE checksum_failures IS NOT NULL
    """
    says = "{subject}: {value} damaged pages, last seen at {last}"
    fix = "Stop and copy the data directory, then restore from a backup; suspect the disk"
    unit = "pages"
    warning, critical = 1, 1


METRICS: list[type[Metric]] = [
    CacheHits,
    Checkpoints,
    WalRate,
    Deadlocks,
    TemporaryFiles,
    Rollbacks,
    DamagedPages,
]
