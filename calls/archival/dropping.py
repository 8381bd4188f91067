"""Retention: exports a month of the archive to a verified file and drops its partition."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from django.db import connection, transaction

from calls.archival import batches, files, ledger, month_locks
from calls.archival.columns import catalog_columns
from calls.archival.models import ArchiveRun, RunKind
from tenancy import all_tenants

MONTHS = """
SELECT month, month + interval '1 month' FROM (
    SELECT to_date(right(c.relname, 7), 'YYYY_MM')::timestamp AT TIME ZONE 'UTC' AS month
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.calls_archive'::regclass
) partitions
WHERE month + interval '1 month' <= %(cut_off)s
ORDER BY 1
"""
HELD = """
SELECT count(*) FROM calls_archive
WHERE legal_hold AND created_at >= %(first)s AND created_at < %(next)s
"""
ONE_MONTH = """
SELECT {columns} FROM calls_archive
WHERE created_at >= '{first}' AND created_at < '{next}' ORDER BY created_at, id
"""
DROP = "SELECT app.drop_archive_partition(%(month)s, %(calls)s, %(checksum)s)"


class UnderLegalHold(Exception):
    """Calls of this month are under legal hold; the message says how many."""


@dataclass(frozen=True)
class Month:
    """A month of the archive: [first, next), UTC."""

    first: datetime
    next: datetime

    def file_name(self) -> str:
        return f"calls_archive_{self.first:%Y_%m}.csv.gz"


def months_before(cut_off: datetime) -> list[Month]:
    """The months of the archive that ended by cut_off. Raises UnderLegalHold if one is."""
    with connection.cursor() as cursor:
        cursor.execute(MONTHS, {"cut_off": cut_off})
        months = [Month(*row) for row in cursor.fetchall()]
        for month in months:
            cursor.execute(HELD, vars(month))
            if held := cursor.fetchone()[0]:
                raise UnderLegalHold(
                    f"Nothing was dropped: {month.first:%Y-%m} has {held:,} calls under legal"
                    " hold. Release them or choose an earlier cut-off."
                )
    return months


def drop_month(month: Month, *, directory: Path, started_by: str) -> ArchiveRun:
    """Write a month to a file, read the file back, drop the partition; returns the ledger row.

    If killed and run again, it continues with the file that exists. Raises BadFile when
    that file holds something else, OSError, and OperationalError when others use the month for a
    minute and a half.
    """
    path = directory / month.file_name()
    with (
        all_tenants("drop a month of the archive"),
        ledger.recorded(
            RunKind.DROP, selection=str(path), started_by=started_by, cut_off=month.next
        ) as run,
    ):
        if not path.exists():
            _export(month, path)
        with transaction.atomic(), connection.cursor() as cursor:
            calls, checksum = files.read(cursor, path)
        run.sha256 = files.digest(path)
        files.write_digest(path, run.sha256)
        moved = batches.BatchResult(batches.BEGINNING, calls, 0, path.stat().st_size, checksum)
        month_locks.until_free(partial(_drop, month, run, moved))
    return run


def _drop(month: Month, run: ArchiveRun, moved: batches.BatchResult) -> None:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(month_locks.LOCK_TIMEOUT)
        cursor.execute(
            DROP, {"month": month.first, "calls": moved.calls, "checksum": moved.checksum}
        )
        batches.count(run, moved)


def _export(month: Month, path: Path) -> None:
    columns = batches.names([column.name for column in catalog_columns("calls_archive")])
    query = ONE_MONTH.format(
        columns=columns, first=month.first.isoformat(), next=month.next.isoformat()
    )
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        files.write(cursor, query, path)
