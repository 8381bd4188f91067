"""From a file of drop_archive back into the archive, batch by batch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.db.backends.utils import CursorWrapper

from calls.archival import batches, files, ledger
from calls.archival.columns import catalog_columns
from calls.archival.models import ArchiveRun, RunKind, RunState
from calls.archival.statistics import analyze_after
from tenancy import all_tenants

BATCH_SIZE = 1_000

# Loads of the same calls take turns; otherwise a placeholder could meet the other's archived call.
TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('calls.archival.loading'))"
MAKE_PARTITIONS = """
SELECT app.create_archive_partitions(month, month)
FROM (SELECT DISTINCT date_trunc('month', created_at, 'UTC') FROM arriving) months (month)
WHERE to_regclass('public.calls_archive_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM')) IS NULL
"""
# Calls of a line that has been deleted must not come back.
SKIP_DELETED_LINES = "DELETE FROM arriving WHERE phone_id NOT IN (SELECT id FROM phone_numbers)"
# Who inserts a live call with one of these SIDs waits for this transaction at the unique index of
# calls, and is then refused by calls_sid_not_archived; or was first, and this one waits. Without
# a row in calls neither would see the other's, which is not committed yet.
PLACEHOLDERS = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, created_at)
SELECT phone_id, '', call_sid, 'completed', created_at FROM arriving a
WHERE NOT EXISTS (
    SELECT FROM calls_archive c WHERE (c.id, c.created_at) = (a.id, a.created_at)
)
ORDER BY call_sid ON CONFLICT (call_sid) DO NOTHING RETURNING id
"""
NO_PLACEHOLDERS = "DELETE FROM calls WHERE id = ANY(%(ids)s)"
# A dropped month is counted again once all of its calls are back.
INSERT = """
WITH inserted AS (
    INSERT INTO calls_archive ({columns}) SELECT {columns} FROM arriving
    ON CONFLICT (id, created_at) DO NOTHING
    RETURNING phone_id, created_at, metadata_created_at, pg_column_size(calls_archive) AS size
), back AS (
    SELECT phone_id, date_trunc('month', created_at, 'UTC') AS since, count(*) AS calls
    FROM inserted GROUP BY 1, 2
), counted AS (
    UPDATE sealed_months s SET calls = s.calls - back.calls FROM back
    WHERE (s.phone_id, s.since) = (back.phone_id, back.since) AND s.calls > back.calls
), opened AS (
    DELETE FROM sealed_months s USING back
    WHERE (s.phone_id, s.since) = (back.phone_id, back.since) AND s.calls <= back.calls
)
SELECT count(*), count(metadata_created_at), coalesce(sum(size), 0) FROM inserted
"""
COMPARE = f"""
SELECT (SELECT {batches.CHECKSUM.format(row="arriving")} FROM arriving),
    {batches.CHECKSUM.format(row="a")}
FROM calls_archive a WHERE (id, created_at) IN (SELECT id, created_at FROM arriving)
"""


@dataclass
class LoadResult:
    """The calls of a file: loaded, already archived, and of deleted lines."""

    run: ArchiveRun
    already_archived: int = 0
    of_deleted_lines: int = 0


@dataclass(frozen=True)
class LoadedBatch(batches.BatchResult):
    already_archived: int
    of_deleted_lines: int


def load_file(
    path: Path,
    *,
    batch_size: int = BATCH_SIZE,
    started_by: str,
    should_stop: Callable[[], bool] = lambda: False,
    on_batch: Callable[[batches.BatchResult], None] = lambda moved: None,
) -> LoadResult:
    """Put the calls of a file into the archive.

    If killed and run again, it continues; loading a file twice changes nothing. Raises
    BadFile for a file that is not as drop_archive wrote it, RowsDiffer when the archive holds one
    of its calls otherwise, IntegrityError when one of them is live, and OSError.
    """
    with (
        all_tenants("load a file into the archive"),
        ledger.recorded(RunKind.LOAD, selection=str(path), started_by=started_by) as run,
    ):
        run.sha256 = _require_digest(path)
        loaded = LoadResult(run)
        with connection.cursor() as cursor, files.records(cursor, path) as records:

            def committed(moved: batches.BatchResult) -> None:
                assert isinstance(moved, LoadedBatch)
                records.done()
                loaded.already_archived += moved.already_archived
                loaded.of_deleted_lines += moved.of_deleted_lines
                on_batch(moved)

            batches.in_batches(
                run,
                batch_of(records),
                size=batch_size,
                limit=None,
                should_stop=should_stop,
                on_batch=committed,
            )
    analyze_after(run)
    return loaded


def batch_of(records: files.Records) -> batches.Move:
    """A Move that loads the next records, within a transaction of the caller."""
    insert = INSERT.format(
        columns=batches.names([column.name for column in catalog_columns("calls_archive")])
    )

    def next_batch(cursor: CursorWrapper, rows: int, _: batches.CallKey) -> LoadedBatch | None:
        cursor.execute(TAKE_TURNS)
        taken = records.take(cursor, rows)
        if not taken:
            return None
        cursor.execute(MAKE_PARTITIONS)
        cursor.execute(SKIP_DELETED_LINES)
        left_out = cursor.rowcount
        cursor.execute(PLACEHOLDERS)
        cursor.execute(NO_PLACEHOLDERS, {"ids": [call_id for (call_id,) in cursor.fetchall()]})
        cursor.execute(insert)
        inserted, metadata_rows, size = cursor.fetchone()
        cursor.execute(COMPARE)
        expected, checksum = cursor.fetchone()
        if checksum != expected:
            raise batches.RowsDiffer
        return LoadedBatch(
            last=batches.BEGINNING,
            calls=inserted,
            metadata_rows=metadata_rows,
            bytes=int(size),
            checksum=checksum,
            already_archived=taken - left_out - inserted,
            of_deleted_lines=left_out,
        )

    return next_batch


def _require_digest(path: Path) -> str:
    """The file's SHA-256, when the file beside it or the ledger confirms it. Raises BadFile."""
    sha256 = files.digest(path)
    beside = files.digest_path(path)
    if beside.exists():
        if beside.read_text().split()[:1] != [sha256]:
            raise files.BadFile(f"{path} is damaged: it does not match {beside.name}")
    elif not ArchiveRun.objects.filter(state=RunState.DONE, sha256=sha256).exists():
        raise files.BadFile(
            f"{path} cannot be verified: {beside.name} is missing and no recorded run wrote it"
        )
    return sha256
