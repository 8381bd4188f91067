"""Who is connected, what they do, and who waits for whom."""

from monitoring.masking import mask
from monitoring.metrics.base import Metric
from monitoring.server import Row, Server, rows
from monitoring.statements import shortened

# Client sessions in this database, without this one.
SESSIONS = """
sessions AS (
    SELECT pid, usename, application_name, state, xact_start, query_start, state_change,
        backend_xmin, query, wait_event_type,
        concat_ws(', ', 'process ' || pid, usename, nullif(application_name, '')) AS who
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
    AND pid <> pg_backend_pid()
)"""
END = (
    "Find out what it is, then end it on the admin's Database page, or as its own login:"
    " SELECT pg_terminate_backend({pid})"
)


class SessionMetric(Metric):
    """Rows have `pid` and `query`, which is shown with its values removed."""

    group = "sessions"
    unit = "s"
    needs_all_stats = falls_back_to_own = True

    def rows(self, cursor: object, server: Server) -> list[Row]:
        found = rows(cursor, self.sql, self.parameters(server))
        for row in found:
            statement = mask(row["query"] or "")
            row["statement"] = shortened(statement.text, 200) or "none yet"
            row["line"] = f", line {statement.line}" if statement.line else ""
        return found


class Connections(Metric):
    group = "sessions"
    name = "connections"
    label = "Connections"
    help = (
        "Connections of all databases, as a percentage of max_connections minus the reserved ones."
    )
    sql = """
        SELECT 'server' AS subject, 100.0 * used / allowed AS value, used, allowed, top_login
        FROM (SELECT current_setting('max_connections')::int
                - current_setting('superuser_reserved_connections')::int
                - coalesce(current_setting('reserved_connections', true)::int, 0) AS allowed,
            (SELECT sum(numbackends) FROM pg_stat_database) AS used,
            (SELECT concat(count(*), ' of ', usename) FROM pg_stat_activity
             WHERE usename IS NOT NULL GROUP BY usename ORDER BY count(*) DESC LIMIT 1)
             AS top_login
        ) AS counted
    """
    summary = "{used} of {allowed} connections are in use ({top_login})"
    fix = (
        "Put a transaction pooler in front, or lower WEB_CONCURRENCY or CONN_MAX_AGE; raise"
        " max_connections only if memory allows"
    )
    unit = "%"
    warning, critical = 70, 85
    lists_ok = True


class IdleInTransaction(SessionMetric):
    name = "idle_in_transaction"
    label = "Idle in transaction"
    help = "Sessions that hold a transaction open, with its locks and old rows, while idle."
    sql = f"""
        WITH {SESSIONS}
        SELECT who AS subject, extract(epoch FROM clock_timestamp() - state_change) AS value,
            pid, query
        FROM sessions WHERE state IN ('idle in transaction', 'idle in transaction (aborted)')
    """
    summary = (
        "{subject}{line} has been idle in its transaction for {value:.0f} s; last statement:"
        " {statement}"
    )
    fix = END
    warning, critical = 60, 600


class LongTransactions(SessionMetric):
    name = "long_transactions"
    label = "Long transactions"
    help = "While one is open, VACUUM cannot remove what was deleted since it began."
    sql = f"""
        WITH {SESSIONS}
        SELECT who AS subject, extract(epoch FROM clock_timestamp() - xact_start) AS value,
            pid, query, state
        FROM sessions WHERE xact_start IS NOT NULL
    """
    summary = "{subject}{line} has had a transaction open for {value:.0f} s ({state}); {statement}"
    fix = END
    warning, critical = 300, 1800


class LongStatements(SessionMetric):
    name = "long_statements"
    label = "Long statements"
    help = "Statements running now, and for how long."
    sql = f"""
        WITH {SESSIONS}
        SELECT who AS subject, extract(epoch FROM clock_timestamp() - query_start) AS value,
            pid, query
        FROM sessions WHERE state = 'active'
    """
    summary = "{subject}{line} has been running a statement for {value:.0f} s; {statement}"
    fix = (
        "See its plan on the admin's Database page; to cancel it: SELECT pg_cancel_backend({pid})"
    )
    warning, critical = 300, 1800


class BlockedSessions(SessionMetric):
    """pg_locks shows every login who waits; to see who blocks them takes pg_read_all_stats."""

    name = "blocked_sessions"
    label = "Waiting for a lock"
    help = "Sessions that wait for a lock, for how long, and who holds it."
    sql = """
        SELECT concat('process ', w.pid, ', ' || a.usename) AS subject,
            extract(epoch FROM clock_timestamp() - w.waitstart) AS value, w.pid,
            concat(w.mode, ' on ' || w.relation::regclass) AS wanted, a.query,
            coalesce((
                SELECT string_agg(concat_ws(' ', 'process ' || b.pid, b.usename,
                    nullif(b.application_name, ''), b.state,
                    round(extract(epoch FROM clock_timestamp() - b.xact_start)) || ' s'), '; ')
                FROM unnest(pg_blocking_pids(w.pid)) AS blocker
                JOIN pg_stat_activity b ON b.pid = blocker), 'a prepared transaction') AS blockers,
            coalesce((pg_blocking_pids(w.pid))[1], 0) AS blocker
        FROM pg_locks w JOIN pg_stat_activity a ON a.pid = w.pid
        WHERE NOT w.granted AND a.datname = current_database()
    """
    summary = (
        "{subject}{line} has waited {value:.0f} s for {wanted}, held by {blockers}; {statement}"
    )
    fix = (
        "End the blocking session: SELECT pg_terminate_backend({blocker}), as its own login, or in"
        " the admin"
    )
    warning, critical = 30, 300


class OldestSnapshot(Metric):
    group = "sessions"
    name = "oldest_snapshot"
    label = "Oldest snapshot"
    help = (
        "Age, in transactions, of the oldest snapshot held by a session, a replication slot or a"
        " prepared transaction. VACUUM keeps every row deleted since."
    )
    sql = """
        SELECT subject, value FROM (
            SELECT 'process ' || pid AS subject, age(backend_xmin) AS value
            FROM pg_stat_activity WHERE backend_xmin IS NOT NULL
            UNION ALL SELECT 'slot ' || slot_name, greatest(age(xmin), age(catalog_xmin))
            FROM pg_replication_slots
            UNION ALL SELECT 'prepared transaction ' || gid, age(transaction)
            FROM pg_prepared_xacts
        ) AS held WHERE value IS NOT NULL ORDER BY value DESC LIMIT 5
    """
    summary = "{subject} holds back VACUUM by {value:,} transactions"
    fix = "End the session, drop the slot, or commit or roll back the prepared transaction"
    unit = "transactions"
    warning, critical = 1_000_000, 50_000_000
    needs_all_stats = True


class PreparedTransactions(Metric):
    group = "sessions"
    name = "prepared_transactions"
    label = "Prepared transactions"
    help = "Two-phase transactions that were never finished; they keep their locks for ever."
    sql = """
        SELECT gid AS subject, extract(epoch FROM clock_timestamp() - prepared) AS value, owner
        FROM pg_prepared_xacts WHERE database = current_database()
    """
    summary = "{subject} of {owner} was prepared {value:.0f} s ago"
    fix = "As {owner}: COMMIT PREPARED or ROLLBACK PREPARED '{subject}'"
    unit = "s"
    warning, critical = 60, 3600


METRICS: list[type[Metric]] = [
    Connections,
    IdleInTransaction,
    LongTransactions,
    LongStatements,
    BlockedSessions,
    OldestSnapshot,
    PreparedTransactions,
]
