"""What the server as a whole did between two snapshots."""

from datetime import datetime
from typing import Any

from monitoring.metrics.base import Metric, Unknown
from monitoring.server import Row, Server

# The latest snapshot and the first one of the day before it, since the server's last start or
# reset; `n` is the increase of a counter.
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
    lists_ok = True
    empty = (
        "two snapshots since the server's start are needed; the worker takes one every five"
        " minutes"
    )

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        found = super().rows(cursor, server)
        if found and found[0]["value"] is None:
            raise Unknown("too little activity between the snapshots")
        return found

    def since(self, found: list[Row], server: Server) -> datetime | None:
        since: datetime = found[0]["since"]
        return since


class CacheHits(ServerMetric):
    name = "cache_hits"
    label = "Cache hits"
    help = "Percentage of this database's blocks found in shared_buffers; from 10,000 blocks up."
    sql = f"""
        WITH {DAY}
        SELECT current_database() AS subject, since, hit, read,
            CASE WHEN hit + read >= 10000 THEN 100 * hit / (hit + read) END AS value
        FROM day, LATERAL (SELECT (rose ->> 'blocks_hit')::numeric AS hit,
            (rose ->> 'blocks_read')::numeric AS read) AS counted
    """
    summary = "{value:.1f}% of blocks were in the cache ({hit:,} hits, {read:,} reads)"
    fix = "See which statements read the most blocks (--statements io); then raise shared_buffers"
    unit = "%"
    warning, critical = 98, 90
    lower_is_worse = True


class Checkpoints(ServerMetric):
    name = "checkpoints"
    label = "Checkpoint pressure"
    help = "Percentage of checkpoints forced by the amount of WAL; from ten checkpoints up."
    sql = f"""
        WITH {DAY}
        SELECT 'server' AS subject, since, forced, timed,
            CASE WHEN forced + timed >= 10 THEN 100 * forced / (forced + timed) ELSE 0 END AS value
        FROM day, LATERAL (SELECT (rose ->> 'checkpoints_forced')::numeric AS forced,
            (rose ->> 'checkpoints_timed')::numeric AS timed) AS counted
    """
    summary = "checkpoints: {forced} forced, {timed} scheduled"
    fix = "Raise max_wal_size"
    unit = "%"
    warning, critical = 50, 90


class WalRate(ServerMetric):
    name = "wal_rate"
    label = "WAL written"
    help = "Bytes per second that the archive and replicas must keep up with."
    sql = f"""
        WITH {DAY}
        SELECT 'server' AS subject, since, (rose ->> 'wal_bytes')::numeric AS bytes,
            (rose ->> 'wal_bytes')::numeric / seconds AS value
        FROM day
    """
    summary = "{value:,.0f} bytes per second, {bytes:,} in total"
    unit = "bytes per second"
    fix = "See which statements write the most"
    warning = 20_000_000


class Deadlocks(ServerMetric):
    name = "deadlocks"
    label = "Deadlocks"
    help = "Transactions cancelled in the last day because they waited for each other."
    sql = f"""
        WITH {DAY}
        SELECT current_database() AS subject, since, (rose ->> 'deadlocks')::numeric AS value
        FROM day
    """
    summary = "deadlocks: {value}"
    fix = "Our logs name the requests or jobs at that time; make both lock in the same order"
    unit = "deadlocks"
    warning, critical = 1, 50


class TemporaryFiles(ServerMetric):
    name = "temporary_files"
    label = "Temporary files"
    help = "Bytes per day that sorts and hashes wrote to disk because work_mem was too small."
    sql = f"""
        WITH {DAY}
        SELECT current_database() AS subject, since,
            (rose ->> 'temporary_files')::numeric AS files,
            (rose ->> 'temporary_bytes')::numeric * 86400 / seconds AS value
        FROM day
    """
    summary = "{files} files, {value:,.0f} bytes per day"
    fix = (
        "Find the statement (--statements temporary), then add an index in its order, or work_mem"
    )
    unit = "bytes per day"
    warning, critical = 10_000_000_000, 100_000_000_000


class Rollbacks(ServerMetric):
    name = "rollbacks"
    label = "Transactions rolled back"
    help = "Percentage of all transactions; from 1,000 transactions up."
    sql = f"""
        WITH {DAY}
        SELECT current_database() AS subject, since, rolled_back, committed,
            CASE WHEN rolled_back + committed >= 1000
            THEN 100 * rolled_back / (rolled_back + committed) ELSE 0 END AS value
        FROM day, LATERAL (SELECT (rose ->> 'rolled_back')::numeric AS rolled_back,
            (rose ->> 'committed')::numeric AS committed) AS counted
    """
    summary = "{rolled_back:,} transactions were rolled back, {committed:,} committed"
    fix = "Read the errors in the logs of the web server and the worker"
    unit = "%"
    warning, critical = 20, 60


class DamagedPages(Metric):
    group = "server"
    name = "damaged_pages"
    label = "Damaged pages"
    help = "Pages whose checksum was wrong when read; counted only with data checksums on."
    empty = "data checksums are off; on a stopped server, pg_checksums --enable turns them on"
    sql = """
        SELECT coalesce(datname, 'shared tables') AS subject, checksum_failures AS value,
            checksum_last_failure AS last
        FROM pg_stat_database WHERE checksum_failures IS NOT NULL
    """
    summary = "{subject}: {value} damaged pages, last seen at {last}"
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
