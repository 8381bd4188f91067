"""Tables: dead rows, age, size, and the lines that own their rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings

from monitoring.findings import Level
from monitoring.metrics.base import Metric, Skipped
from monitoring.server import Row, Server, rows


class TableMetric(Metric):
    group = "tables"


# Whether autovacuum looks after a table, and whether it is at it now.
AUTOVACUUM = """
LATERAL (
    SELECT current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean
        AND NOT EXISTS (SELECT FROM pg_class c, pg_options_to_table(c.reloptions)
            WHERE c.oid = relid AND option_name = 'autovacuum_enabled'
            AND lower(option_value) IN ('false', 'off', 'no', '0')) AS is_on,
        EXISTS (SELECT FROM pg_stat_progress_vacuum p WHERE p.relid = t.relid)
        OR EXISTS (SELECT FROM pg_stat_progress_analyze p WHERE p.relid = t.relid) AS is_at_it
) AS autovacuum
"""


class VacuumMetric(TableMetric):
    """Autovacuum mends what it finds within minutes; until then nothing is critical."""

    mended_within: ClassVar[str] = "20 minutes"
    earlier = """
        SELECT item ->> 'subject' FROM (
            SELECT findings FROM database_reports
            WHERE taken_at < clock_timestamp() - %(mended_within)s::interval
            AND taken_at > clock_timestamp() - interval '1 hour' - %(mended_within)s::interval
            ORDER BY id DESC LIMIT 1
        ) AS report, jsonb_array_elements(findings) AS finding,
            jsonb_array_elements(finding -> 'items') AS item
        WHERE finding ->> 'metric' = %(name)s
        AND item ->> 'level' IN ('warning', 'critical')
    """

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        found = super().rows(cursor, server)
        if not found:
            return found
        cursor.execute(self.earlier, {"mended_within": self.mended_within, "name": self.name})
        earlier = {subject for (subject,) in cursor.fetchall()}
        for row in found:
            waits = row.pop("is_on") and (row.pop("is_at_it") or row["subject"] not in earlier)
            is_critical = self.level_of(float(row["value"])) is Level.CRITICAL
            if waits and row.get("level") is None and is_critical:
                row["level"] = Level.WARNING
                row["summary"] = f"{self.summary.format(**row)}; autovacuum may still mend it"
        return found


class DeadRows(VacuumMetric):
    name = "dead_rows"
    label = "Dead rows"
    help = "Percentage of deleted or updated rows not vacuumed yet; tables of 10 MB or more."
    sql = f"""
        SELECT relid::regclass::text AS subject, n_dead_tup AS dead, is_on, is_at_it,
            100.0 * n_dead_tup / (n_live_tup + n_dead_tup) AS value,
            coalesce(to_char(greatest(last_vacuum, last_autovacuum), 'YYYY-MM-DD HH24:MI'),
                'never') AS vacuumed
        FROM pg_stat_user_tables t, {AUTOVACUUM}
        WHERE n_dead_tup >= 1000 AND pg_relation_size(relid) >= 10000000
        ORDER BY n_dead_tup DESC
    """
    summary = "{subject}: {dead:,} dead rows ({value:.0f}%); last vacuumed: {vacuumed}"
    fix = "As replytics_owner: VACUUM {subject}; check first what holds it back (oldest_snapshot)"
    unit = "%"
    warning, critical = 20, 50


class StalePlans(VacuumMetric):
    """Autovacuum never analyzes a partitioned table as a whole: the archiver does."""

    name = "stale_planner_statistics"
    label = "Stale planner statistics"
    help = (
        "Percentage of rows changed since the last ANALYZE, and for a partitioned table the"
        " difference between its rows then and those of its partitions; of 1 MB or more."
    )
    sql = f"""
        SELECT relid::regclass::text AS subject, n_mod_since_analyze AS changed,
            is_on, is_at_it,
            least(100.0 * n_mod_since_analyze / greatest(n_live_tup, 1), 1000) AS value,
            CASE WHEN greatest(last_analyze, last_autoanalyze) IS NULL THEN 'warning' END AS level,
            coalesce(to_char(greatest(last_analyze, last_autoanalyze), 'YYYY-MM-DD HH24:MI'),
                'never') AS analyzed
        FROM pg_stat_user_tables t, {AUTOVACUUM}
        WHERE n_mod_since_analyze >= 1000 AND pg_relation_size(relid) >= 1000000
        UNION ALL
        SELECT parent.oid::regclass::text, abs(parts.rows - greatest(parent.reltuples, 0)),
            false, false,
            least(100.0 * abs(parts.rows - greatest(parent.reltuples, 0))
                / greatest(parent.reltuples, 1), 1000),
            CASE WHEN parent.reltuples < 0 THEN 'warning' END,
            coalesce(to_char(s.last_analyze, 'YYYY-MM-DD HH24:MI'), 'never')
        FROM pg_class parent
        JOIN pg_stat_user_tables s ON s.relid = parent.oid, LATERAL (
            SELECT sum(n_live_tup) AS rows, sum(pg_relation_size(l.relid)) AS bytes
            FROM pg_partition_tree(parent.oid) l JOIN pg_stat_user_tables p USING (relid)
            WHERE l.isleaf
        ) AS parts
        WHERE parent.relkind = 'p' AND parts.bytes >= 1000000
        AND abs(parts.rows - greatest(parent.reltuples, 0)) >= 1000
    """
    summary = (
        "{subject}: {changed:,.0f} rows ({value:.0f}%) changed since the last ANALYZE ({analyzed})"
    )
    fix = "As replytics_owner: ANALYZE {subject}"
    unit = "%"
    warning, critical = 25, 200


class Wraparound(TableMetric):
    name = "wraparound"
    label = "Age of the oldest transaction"
    help = "Percentage of the two billion transactions after which the server refuses writes."
    sql = """
        SELECT 'database ' || datname AS subject, 'VACUUM FREEZE its oldest tables' AS how,
            greatest(age(datfrozenxid), mxid_age(datminmxid)) / 21474836.48 AS value,
            greatest(age(datfrozenxid), mxid_age(datminmxid)) AS age
        FROM pg_database WHERE datallowconn
        UNION ALL
        (SELECT c.oid::regclass::text, 'VACUUM FREEZE ' || c.oid::regclass,
            greatest(age(relfrozenxid), mxid_age(relminmxid)) / 21474836.48,
            greatest(age(relfrozenxid), mxid_age(relminmxid))
        FROM pg_class c WHERE relkind IN ('r', 'm', 't') AND relfrozenxid <> '0'
        ORDER BY 4 DESC LIMIT 5)
        ORDER BY 3 DESC
    """
    summary = "{subject}: {age:,} transactions old, {value:.1f}% of the limit"
    fix = (
        "As its owner: {how}; check that autovacuum runs and what holds it back (oldest_snapshot)"
    )
    unit = "%"
    warning, critical = 25, 50


class Sequences(TableMetric):
    name = "sequences"
    label = "Sequences running out"
    help = "Percentage of its numbers that a sequence has used."
    sql = """
        SELECT format('%%I.%%I', schemaname, sequencename) AS subject, last_value,
            100.0 * last_value / least(max_value, CASE data_type::text
                WHEN 'smallint' THEN 32767 WHEN 'integer' THEN 2147483647
                ELSE 9223372036854775807 END) AS value
        FROM pg_sequences WHERE last_value IS NOT NULL AND increment_by > 0
    """
    summary = "{subject} is at {last_value:,}, {value:.0f}% of its limit"
    fix = "Make the column and the sequence bigint, in a migration"
    unit = "%"
    warning, critical = 50, 90


class SequentialScans(TableMetric):
    name = "sequential_scans"
    label = "Sequential scans of large tables"
    help = (
        "Sequential scans as a percentage of all; tables of 10 MB or more, from ten such scans up."
    )
    sql = """
        SELECT relid::regclass::text AS subject, seq_scan, idx_scan, bytes,
            seq_tup_read / seq_scan AS rows_each, 100.0 * seq_scan / (seq_scan + idx_scan) AS value
        FROM (SELECT relid, seq_scan, coalesce(idx_scan, 0) AS idx_scan, seq_tup_read,
                pg_relation_size(relid) AS bytes
              FROM pg_stat_user_tables WHERE seq_scan >= 10) AS t
        WHERE bytes >= 10000000 AND seq_tup_read / seq_scan >= 1000 ORDER BY seq_tup_read DESC
    """
    summary = (
        "{subject} ({bytes:,} bytes) had {seq_scan:,} sequential scans of {rows_each:,.0f} rows"
        " each, {value:.0f}% of its scans"
    )
    fix = (
        "Find the statement among those that read the most, and see its plan on the Database page"
    )
    unit = "%"
    warning = 5
    is_cumulative = True


class DefaultPartitions(TableMetric):
    name = "partitions"
    label = "Missing partitions"
    help = (
        "Partitioned tables whose default partition holds rows that need a partition of their"
        " own. The archiver creates the months it needs before it moves calls."
    )
    sql = """
        SELECT p.partrelid::regclass::text AS subject, p.partdefid::regclass::text AS part,
            pg_relation_size(p.partdefid) AS value,
            (SELECT count(*) FROM pg_inherits WHERE inhparent = p.partrelid) AS parts
        FROM pg_partitioned_table p
    """
    summary = "{subject}: {parts} partitions, {value:,} bytes in the default one"
    fix = "Create the missing partitions and move the rows of {part} into them"
    unit = "bytes"
    warning = 1

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        return [row | {"value": row["value"] or 0} for row in super().rows(cursor, server)]


class HalfDetachedPartitions(TableMetric):
    name = "half_detached_partitions"
    label = "Half detached partitions"
    help = "Left by an interrupted DETACH CONCURRENTLY: neither attached nor a table of its own."
    sql = """
        SELECT inhrelid::regclass::text AS subject, inhparent::regclass::text AS parent,
            pg_relation_size(inhrelid) AS value, 'warning' AS level
        FROM pg_inherits WHERE inhdetachpending
    """
    summary = "{subject} is half detached from {parent}"
    fix = "As replytics_owner: ALTER TABLE {parent} DETACH PARTITION {subject} FINALIZE"


class DatabaseSize(TableMetric):
    """The forecast is a least squares fit of the sizes of the last 30 days."""

    name = "database_size"
    label = "Database size and forecast"
    help = "Size in 30 days at the growth of the last 30, as a percentage of MONITORING_DISK_GB."
    sql = """
        SELECT current_database() AS subject, pg_database_size(current_database()) AS bytes,
            s.per_day, s.points, s.first, pg_database_size(current_database())
                + 30 * greatest(s.per_day, 0) AS forecast
        FROM (SELECT regr_slope(database_bytes, extract(epoch FROM taken_at) / 86400) AS per_day,
                count(*) AS points, min(taken_at) AS first
              FROM server_snapshots WHERE taken_at > now() - interval '30 days') AS s
    """
    summary = (
        "{bytes:,} bytes, {per_day:+,.0f} per day since {first:%Y-%m-%d}; in 30 days"
        " {forecast:,.0f}"
    )
    fix = "Free space: archive and drop old months, or enlarge the disk; see table_growth"
    unit = "%"
    warning, critical = 70, 90
    needs_table = "server_snapshots"
    lists_ok = True
    min_history: ClassVar[int] = 2  # days

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        [row] = super().rows(cursor, server)
        if row["first"] is None or (server.now - row["first"]).days < self.min_history:
            raise Skipped(
                f"{row['bytes']:,} bytes now; a forecast needs {self.min_history} days of sizes,"
                " which the worker records"
            )
        disk = settings.MONITORING_DISK_GB * 10**9
        value = 100 * row["forecast"] / disk if disk else None
        return [row | {"value": value, "level": None if disk else "ok"}]

    def since(self, found: list[Row], server: Server) -> datetime | None:
        first: datetime = found[0]["first"]
        return first


class TableGrowth(TableMetric):
    name = "table_growth"
    label = "Table growth"
    help = "Growth in 30 days as a percentage of the size; growing tables of 100 MB or more."
    sql = """
        SELECT relation AS subject, bytes, per_day, first, 100 * 30 * per_day / bytes AS value
        FROM (SELECT relation, min(taken_at) AS first,
                (array_agg(bytes ORDER BY taken_at DESC))[1] AS bytes,
                regr_slope(bytes, extract(epoch FROM taken_at) / 86400) AS per_day
              FROM table_sizes WHERE taken_at > now() - interval '30 days'
              GROUP BY relation HAVING max(taken_at) - min(taken_at) > interval '2 days') AS t
        WHERE bytes >= 100000000 AND per_day > 0 ORDER BY per_day DESC
    """
    summary = "{subject}: {bytes:,} bytes, {per_day:+,.0f} per day since {first:%Y-%m-%d}"
    fix = "See which line is responsible (lines_share); archive earlier, or partition the table"
    unit = "% in 30 days"
    warning = 100
    needs_table = "table_sizes"

    def since(self, found: list[Row], server: Server) -> datetime | None:
        return min((row["first"] for row in found), default=None)


# How many pages a sample reads of one table: 8 MB.
SAMPLED_PAGES = 1000

SAMPLED_TABLES = """
SELECT c.oid::regclass::text AS relation, pg_relation_size(c.oid) / 8192 AS pages,
    c.reltuples, pg_total_relation_size(c.oid) AS bytes,
    coalesce((SELECT option_value::int FROM pg_options_to_table(reloptions)
              WHERE option_name = 'fillfactor'), 100) AS fillfactor,
    has_table_privilege(c.oid, 'SELECT') AS may_read, (
        SELECT array_agg(quote_ident(attname) ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns, (
        SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attname = 'phone_id'
        AND NOT attisdropped) AS line
FROM pg_class c
WHERE relkind IN ('r', 'm') AND relnamespace NOT IN (
    'pg_catalog'::regnamespace, 'information_schema'::regnamespace)
AND pg_relation_size(c.oid) >= %(min_bytes)s
ORDER BY pages DESC LIMIT 20
"""
# A row's bytes on its page: header and line pointer, its columns, and a pointer for TOASTed
# values. REPEATABLE: the same pages each time, so that a number moves only when the table does.
SAMPLE = """
SELECT count(*) AS rows, coalesce(sum(28 + 8 * ceil(({widths}) / 8.0)), 0) AS bytes
FROM {relation} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (7)
"""
WIDTH = "coalesce(CASE WHEN pg_column_size({0}) > 2000 THEN 18 ELSE pg_column_size({0}) END, 0)"


def _unreadable(subject: str, relation: str) -> Row:
    """The row for a table that staff may not read, such as an administrator's own."""
    summary = f"{subject}: unknown, since replytics_staff may not read {relation}"
    return {"subject": subject, "value": None, "summary": summary}


class TableBloat(TableMetric):
    """pg_stats, which other tools use, does not show tables under row level security."""

    name = "table_bloat"
    label = "Table bloat"
    help = "Percentage of the table that holds no row, estimated by reading up to 8 MB of it."
    sql = SAMPLED_TABLES
    summary = "{subject}: {wasted:,.0f} of {size:,} bytes hold no row, {value:.0f}% (estimated)"
    fix = (
        "VACUUM lets new rows reuse the space. If the table will not grow back: pg_repack, or"
        " VACUUM FULL {subject} at a quiet hour (it locks the table)"
    )
    unit = "%"
    warning, critical = 40, 80
    costly = True
    min_bytes: ClassVar[int] = 10_000_000

    def parameters(self, server: Server) -> Mapping[str, Any]:
        return {"min_bytes": self.min_bytes}

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        return [self._estimate(cursor, table) for table in super().rows(cursor, server)]

    def _estimate(self, cursor: Any, table: Row) -> Row:
        if not table["may_read"]:
            return _unreadable(table["relation"], table["relation"])
        share = min(1.0, SAMPLED_PAGES / table["pages"])
        widths = " + ".join(WIDTH.format(column) for column in table["columns"])
        sample = SAMPLE.format(
            widths=widths, relation=table["relation"], percent=f"{100 * share:.6f}"
        )
        [found] = rows(cursor, sample)
        size = table["pages"] * 8192
        needed = float(found["bytes"]) / share * 100 / table["fillfactor"] * 8192 / 8168
        wasted = max(size - needed, 0)
        return {
            "subject": table["relation"],
            "size": size,
            "wasted": wasted,
            "value": 100 * wasted / size,
        }


INDEX_BLOAT = """
SELECT i.indexrelid::regclass::text AS subject, i.indrelid::regclass::text AS relation,
    pg_relation_size(i.indexrelid) / 8192 AS pages, c.reltuples,
    pg_relation_size(i.indrelid) / 8192 AS table_pages, coalesce(
        (SELECT option_value::int FROM pg_options_to_table(c.reloptions)
         WHERE option_name = 'fillfactor'), 90) AS fillfactor,
    has_table_privilege(i.indrelid, 'SELECT') AS may_read, (
        SELECT array_agg(quote_ident(attname)) FROM pg_attribute
        WHERE attrelid = i.indrelid AND attnum = ANY (i.indkey)) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
WHERE amname = 'btree' AND indisvalid AND indexprs IS NULL
AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
AND pg_relation_size(i.indexrelid) >= %(min_bytes)s
ORDER BY pages DESC LIMIT 30
"""
KEY_WIDTH = """
SELECT coalesce(avg(8 * ceil(({widths}) / 8.0)), 0) AS width
FROM {relation} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (7)
"""


class IndexBloat(TableMetric):
    """A btree's pages against those that its entries need; equal keys share an entry since 13."""

    group = "indexes"
    name = "index_bloat"
    label = "Index bloat"
    help = (
        "Percentage of the index that holds no entry, estimated from the width of its keys; btree"
        " indexes on columns only. An index with many equal keys is smaller than estimated,"
        " which may hide its bloat."
    )
    sql = INDEX_BLOAT
    summary = (
        "{subject} on {relation}: {wasted:,.0f} of {size:,} bytes hold no entry, {value:.0f}%"
    )
    fix = "As replytics_owner: REINDEX INDEX CONCURRENTLY {subject}"
    unit = "%"
    warning, critical = 50, 90
    costly = True
    min_bytes: ClassVar[int] = 10_000_000
    sampled_pages: ClassVar[int] = 200

    def parameters(self, server: Server) -> Mapping[str, Any]:
        return {"min_bytes": self.min_bytes}

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        return [self._estimate(cursor, index) for index in super().rows(cursor, server)]

    def _estimate(self, cursor: Any, index: Row) -> Row:
        if not index["may_read"]:
            return _unreadable(index["subject"], index["relation"])
        share = min(1.0, self.sampled_pages / max(index["table_pages"], 1))
        sample = KEY_WIDTH.format(
            widths=" + ".join(WIDTH.format(column) for column in index["columns"]),
            relation=index["relation"],
            percent=f"{100 * share:.6f}",
        )
        [found] = rows(cursor, sample)
        size = index["pages"] * 8192
        # An entry: 8 bytes of header, its keys, 4 of line pointer; a page: 40 of its own.
        entries = index["reltuples"] * (12 + float(found["width"]))
        needed = entries * 100 / index["fillfactor"] * 8192 / 8152
        wasted = max(size - needed, 0)
        return index | {"size": size, "wasted": wasted, "value": 100 * wasted / size}


LINES = """
SELECT {line} AS line, count(*) AS rows, 100.0 * count(*) / sum(count(*)) OVER () AS share,
    100.0 * sum({widths}) / sum(sum({widths})) OVER () AS share_of_bytes
FROM {relation} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (7)
GROUP BY 1 ORDER BY 2 DESC LIMIT 3
"""


class LinesShare(TableMetric):
    name = "lines_share"
    label = "Share of each line"
    help = "The lines with the most rows in each large table, estimated from up to 8 MB of it."
    sql = SAMPLED_TABLES
    summary = (
        "{subject}: line {line} owns about {rows:,.0f} rows ({value:.0f}%) and {size:,.0f} bytes"
        " ({share_of_bytes:.0f}%)"
    )
    unit = "% of the rows"
    costly = lists_ok = True
    min_bytes: ClassVar[int] = 1_000_000

    def parameters(self, server: Server) -> Mapping[str, Any]:
        return {"min_bytes": self.min_bytes}

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        found = []
        for table in super().rows(cursor, server):
            if table["line"] is None or not table["may_read"]:
                continue
            share = min(1.0, SAMPLED_PAGES / table["pages"])
            sample = LINES.format(
                line=table["line"],
                widths=" + ".join(f"coalesce(pg_column_size({c}), 0)" for c in table["columns"]),
                relation=table["relation"],
                percent=f"{100 * share:.6f}",
            )
            found += [
                row
                | {
                    "subject": table["relation"],
                    "value": row["share"],
                    "rows": row["rows"] / share,
                    "size": table["bytes"] * float(row["share_of_bytes"]) / 100,
                }
                for row in rows(cursor, sample)
            ]
        return found


METRICS: list[type[Metric]] = [
    DatabaseSize,
    TableGrowth,
    DeadRows,
    StalePlans,
    TableBloat,
    IndexBloat,
    SequentialScans,
    Wraparound,
    Sequences,
    DefaultPartitions,
    HalfDetachedPartitions,
    LinesShare,
]
