"""Indexes that are broken, missing, or not worth what they cost."""

from monitoring.metrics.base import Metric

# Indexes of our tables. `keys` holds what determines an entry: column, class, collation, order.
INDEXES = """
indexes AS (
    SELECT i.indexrelid, i.indrelid, i.indexrelid::regclass::text AS name,
        i.indrelid::regclass::text AS table_name, i.indisunique, i.indisvalid, am.amname,
        pg_relation_size(i.indexrelid) AS bytes, i.indnkeyatts,
        EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid) AS is_constraint,
        EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid) AS is_part,
        coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
        i.indnatts > i.indnkeyatts AS has_more,
        ARRAY(
            SELECT concat_ws(' ', pg_get_indexdef(i.indexrelid, n, true),
                i.indclass[n - 1], i.indcollation[n - 1], i.indoption[n - 1])
            FROM generate_series(1, i.indnkeyatts) AS n
        ) AS keys
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
    WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace,
        'information_schema'::regnamespace)
)"""


class IndexMetric(Metric):
    group = "indexes"


class InvalidIndexes(IndexMetric):
    name = "invalid_indexes"
    label = "Invalid indexes"
    help = (
        "Left by a failed CREATE INDEX CONCURRENTLY: maintained by every write, used by no query."
    )
    sql = f"""
        WITH {INDEXES}
        SELECT name AS subject, bytes AS value, table_name,
            CASE WHEN EXISTS (
                SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = indexrelid)
            THEN 'ok' ELSE 'critical' END AS level
        FROM indexes WHERE NOT indisvalid
    """
    summary = "{subject} on {table_name} is invalid, {value:,} bytes"
    fix = "Run manage.py migrate again, or: DROP INDEX CONCURRENTLY {subject}"


class UnusedIndexes(IndexMetric):
    name = "unused_indexes"
    label = "Unused indexes"
    help = (
        "Never scanned since the statistics were reset, other than unique indexes and those of"
        " constraints. An index of a partitioned table counts together with its partitions."
    )
    sql = f"""
        WITH {INDEXES}, roots AS (
            SELECT coalesce(pg_partition_root(indexrelid), indexrelid) AS root,
                sum(idx_scan) AS scans, sum(bytes) AS bytes
            FROM indexes JOIN pg_stat_user_indexes USING (indexrelid) GROUP BY 1
        )
        SELECT name AS subject, roots.bytes AS value, table_name
        FROM roots JOIN indexes ON indexrelid = root
        WHERE scans = 0 AND indisvalid AND NOT indisunique AND NOT is_constraint
        ORDER BY roots.bytes DESC
    """
    summary = "{subject} on {table_name} has never been used ({value:,} bytes)"
    fix = "Check the replicas too, then drop it with RemoveIndexConcurrently in a migration"
    unit = "bytes"
    warning = 1_000_000
    is_cumulative = needs_long_statistics = True


class DuplicateIndexes(IndexMetric):
    name = "duplicate_indexes"
    label = "Duplicate indexes"
    help = "Two indexes of one table with the same columns, order, operators and condition."
    sql = f"""
        WITH {INDEXES}
        SELECT a.name AS subject, a.bytes AS value, a.table_name, b.name AS other
        FROM indexes a JOIN indexes b USING (indrelid, amname, predicate, keys, has_more)
        WHERE NOT a.is_constraint AND NOT a.is_part AND NOT a.has_more
        AND a.indisvalid AND b.indisvalid
        AND (NOT a.indisunique OR b.indisunique)
        AND ((a.indisunique, a.is_constraint) < (b.indisunique, b.is_constraint)
            OR (a.indisunique, a.is_constraint) = (b.indisunique, b.is_constraint)
            AND a.indexrelid > b.indexrelid)
    """
    summary = "{subject} on {table_name} is the same as {other}"
    fix = "Drop {subject} with RemoveIndexConcurrently in a migration"
    unit = "bytes"
    warning = 0


class RedundantIndexes(IndexMetric):
    name = "redundant_indexes"
    label = "Redundant indexes"
    help = "Their columns are the first columns of a longer index, which serves the same queries."
    sql = f"""
        WITH {INDEXES}
        SELECT a.name AS subject, a.bytes AS value, a.table_name, min(b.name) AS other
        FROM indexes a JOIN indexes b USING (indrelid, amname, predicate)
        WHERE amname = 'btree' AND NOT a.indisunique AND NOT a.is_constraint AND NOT a.is_part
        AND NOT a.has_more AND a.indisvalid AND b.indisvalid
        AND a.indnkeyatts < b.indnkeyatts AND b.keys[1:a.indnkeyatts] = a.keys
        GROUP BY 1, 2, 3 ORDER BY 2 DESC
    """
    summary = "{subject} on {table_name} is a prefix of {other} ({value:,} bytes)"
    fix = "Drop {subject} unless it is much smaller and used for its size"
    unit = "bytes"
    warning = 1_000_000


class ForeignKeysWithoutIndex(IndexMetric):
    name = "foreign_keys_without_index"
    label = "Foreign keys without an index"
    help = "Deleting a referenced row scans the whole table."
    sql = """
        SELECT conrelid::regclass || '.' || conname AS subject, pg_table_size(conrelid) AS value,
            conrelid::regclass::text AS table_name, (
                SELECT string_agg(attname, ', ' ORDER BY n)
                FROM unnest(conkey) WITH ORDINALITY AS k (attnum, n)
                JOIN pg_attribute a ON attrelid = conrelid AND a.attnum = k.attnum) AS columns
        FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 AND NOT EXISTS (
            SELECT FROM pg_index WHERE indrelid = conrelid AND indisvalid AND indpred IS NULL
            AND (SELECT array_agg(k) FROM unnest(indkey[0:cardinality(conkey) - 1]) AS k)
                @> conkey)
        ORDER BY 2 DESC
    """
    summary = "{subject} ({columns}) has no index; the table has {value:,} bytes"
    fix = "Add an index that starts with {columns} in a migration: AddIndexOnline"
    unit = "bytes"
    warning = 1_000_000


class WriteCost(IndexMetric):
    name = "index_write_cost"
    label = "Indexes with a high write cost"
    help = "Writes to the table per scan of the index; unused indexes are listed above."
    sql = f"""
        WITH {INDEXES}, roots AS (
            SELECT coalesce(pg_partition_root(indexrelid), indexrelid) AS root,
                sum(u.idx_scan) AS scans, sum(bytes) AS bytes,
                sum(n_tup_ins + n_tup_upd - n_tup_hot_upd) AS writes
            FROM indexes JOIN pg_stat_user_indexes u USING (indexrelid)
            JOIN pg_stat_user_tables t ON t.relid = indrelid GROUP BY 1
        )
        SELECT name AS subject, writes / scans AS value, table_name, scans, writes, roots.bytes
        FROM roots JOIN indexes ON indexrelid = root
        WHERE scans > 0 AND roots.bytes >= 10000000 AND NOT indisunique AND NOT is_constraint
        ORDER BY 2 DESC
    """
    summary = "{subject} on {table_name}: {writes:,} writes for {scans:,} scans, {bytes:,} bytes"
    fix = "Find out what scans it; if another index will do, drop it"
    unit = "writes per scan"
    warning = 10_000
    is_cumulative = needs_long_statistics = True


METRICS: list[type[Metric]] = [
    InvalidIndexes,
    UnusedIndexes,
    DuplicateIndexes,
    RedundantIndexes,
    ForeignKeysWithoutIndex,
    WriteCost,
]
