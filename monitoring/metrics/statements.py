"""Which statements take up the server's time."""

from datetime import datetime
from typing import Any

from monitoring.metrics.base import Metric
from monitoring.server import Row, Server
from monitoring.statements import MIN_CALLS, Order, activity, shortened


class StatementMetric(Metric):
    """Of the last hour, from the monitor's snapshots."""

    group = "statements"
    sql = "SELECT … FROM statement_activity; see monitoring/statements.py"
    needs_extension = "pg_stat_statements"
    needs_all_stats = True

    def since(self, found: list[Row], server: Server) -> datetime | None:
        return min((row["since"] for row in found if row["since"]), default=None)


class SlowStatements(StatementMetric):
    name = "slow_statements"
    label = "Slow statements"
    help = f"Mean time of the statements that ran {MIN_CALLS} times or more in the last hour."
    summary = "{role}: {calls:,} calls, {value:,.1f} ms each, {rows_each:,.1f} rows: {text}"
    fix = "See its plan on the Database page (statement {statement}); an index may help"
    unit = "ms"
    warning, critical = 100, 1000

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        return [
            {
                "subject": f"statement {row.statement}",
                "statement": row.statement,
                "value": row.mean_ms,
                "role": row.role,
                "calls": row.calls,
                "rows_each": row.rows / row.calls,
                "text": shortened(row.text, 300),
                "since": row.since,
            }
            for row in activity(cursor, order=Order.MEAN, min_calls=MIN_CALLS)
        ]


class BusiestStatements(StatementMetric):
    name = "busiest_statements"
    label = "Statements that take the most time"
    help = "Their share of the total time of all statements in the last hour."
    summary = "{role}: {value:.0f}% of the time, {calls:,} calls, {mean:,.1f} ms each: {text}"
    unit = "% of the time"
    lists_ok = True

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        busiest = activity(cursor, order=Order.TOTAL)
        return [
            {
                "subject": f"statement {row.statement}",
                "value": row.share,
                "role": row.role,
                "calls": row.calls,
                "mean": row.mean_ms,
                "text": shortened(row.text, 200),
                "since": row.since,
            }
            for row in busiest[:5]
        ]


class ForgottenStatements(Metric):
    group = "statements"
    name = "forgotten_statements"
    label = "Statements dropped from the statistics"
    help = "How often in the last day pg_stat_statements was full and dropped its rarest entries."
    sql = """
        WITH latest AS (
            SELECT id, taken_at, counters FROM server_snapshots ORDER BY id DESC LIMIT 1
        )
        SELECT 'pg_stat_statements' AS subject,
            (latest.counters ->> 'forgotten')::bigint
                - coalesce(min((s.counters ->> 'forgotten')::bigint), 0) AS value
        FROM latest LEFT JOIN server_snapshots s
            ON s.taken_at > latest.taken_at - interval '1 day'
        GROUP BY latest.counters
    """
    summary = "{subject} was full {value} times in a day"
    fix = "Raise pg_stat_statements.max (needs a restart); dropped statements are not counted"
    unit = "times"
    warning = 10
    needs_extension = "pg_stat_statements"
    needs_table = "server_snapshots"


METRICS: list[type[Metric]] = [SlowStatements, BusiestStatements, ForgottenStatements]
