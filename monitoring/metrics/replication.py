"""Replicas, and the WAL that the server retains for them."""

from monitoring.metrics.base import Metric


class ReplicationLag(Metric):
    group = "replication"
    name = "replication_lag"
    label = "Replication lag"
    help = "Bytes of WAL that a replica has not replayed yet."
    sql = """
        SELECT coalesce(nullif(application_name, ''), 'process ' || pid) AS subject,
            pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS value, state,
            coalesce(extract(epoch FROM replay_lag), 0) AS seconds
        FROM pg_stat_replication WHERE NOT pg_is_in_recovery()
    """
    summary = "{subject} ({state}) is {value:,} bytes and {seconds:.1f} s behind"
    fix = "Check the replica's load and network; a long query there may hold back replay"
    unit = "bytes"
    warning, critical = 100_000_000, 1_000_000_000
    needs_all_stats = True
    lists_ok = True


class ReplayDelay(Metric):
    group = "replication"
    name = "replay_delay"
    label = "This replica's delay"
    help = "Seconds since the last transaction replayed here; empty on a primary."
    sql = """
        SELECT 'this server' AS subject,
            CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END
            AS value
        WHERE pg_is_in_recovery()
    """
    summary = "{subject} replays transactions committed {value:.0f} s ago"
    fix = "Check this server's load, and for long queries that hold back replay"
    unit = "s"
    warning, critical = 30, 300
    lists_ok = True


class ReplicationSlots(Metric):
    group = "replication"
    name = "replication_slots"
    label = "Replication slots"
    help = "WAL retained by a slot. A slot without a consumer retains WAL until the disk is full."
    sql = """
        SELECT slot_name AS subject, slot_type,
            coalesce(pg_wal_lsn_diff(
                CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                ELSE pg_current_wal_lsn() END, restart_lsn), 0) AS value,
            CASE WHEN active THEN 'active' ELSE 'inactive' END AS state,
            coalesce(wal_status, 'unreserved') AS wal,
            CASE WHEN wal_status = 'lost' OR NOT active AND NOT temporary THEN 'critical' END
                AS level
        FROM pg_replication_slots
    """
    summary = "slot {subject} ({slot_type}) is {state} and retains {value:,} bytes of WAL ({wal})"
    fix = "Start its consumer, or: SELECT pg_drop_replication_slot('{subject}')"
    unit = "bytes"
    warning, critical = 1_000_000_000, 10_000_000_000
    lists_ok = True


METRICS: list[type[Metric]] = [ReplicationLag, ReplayDelay, ReplicationSlots]
