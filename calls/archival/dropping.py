"""Retention: exports a month of the archive to a verified file and drops its partition."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from calls.archival import batches, files, ledger, month_locks
from calls.archival.columns import catalog_columns
from calls.archival.models import ArchiveRun, RunKind
from calls.archival.statistics import analyze_after
from tenancy import all_tenants

# The names are read here, not in SQL: a planner may apply a cast in a condition to every table of
# the database before it keeps those of the archive.
PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'public.calls_archive'::regclass ORDER BY 1
"""
MONTH_NAME = re.compile(r"calls_archive_(\d{4})_(\d{2})")
HAS_CALLS = """
SELECT EXISTS (SELECT FROM calls_archive WHERE created_at >= %(first)s AND created_at < %(next)s)
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


@dataclass(frozen=True)
class Month:
    """A month of the archive: [first, next), UTC."""

    first: datetime
    next: datetime

    @classmethod
    def of(cls, year: int, month: int) -> "Month":
        first = datetime(year, month, 1, tzinfo=UTC)
        return cls(first, (first + timedelta(days=31)).replace(day=1))

    def file_name(self) -> str:
        return f"calls_archive_{self.first:%Y_%m}.csv.gz"


def months_before(cut_off: datetime) -> list[Month]:
    """The months of the archive that ended by cut_off and hold calls, held ones or none."""
    with connection.cursor() as cursor:
        return [
            month
            for month in _months(cursor)
            if month.next <= cut_off and _has_calls(cursor, month)
        ]


def held_calls(month: Month) -> int:
    """How many calls under legal hold keep this month from being dropped."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, vars(month))
        held: int = cursor.fetchone()[0]
    return held


def _months(cursor: CursorWrapper) -> list[Month]:
    """Those that have a partition, oldest first; a table attached by hand is left out."""
    cursor.execute(PARTITIONS)
    named = (MONTH_NAME.fullmatch(name) for (name,) in cursor.fetchall())
    return [Month.of(int(match[1]), int(match[2])) for match in named if match]


def _has_calls(cursor: CursorWrapper, month: Month) -> bool:
    cursor.execute(HAS_CALLS, vars(month))
    found: bool = cursor.fetchone()[0]
    return found


def drop_month(month: Month, *, directory: Path, started_by: str) -> ArchiveRun:
    """Write a month to a file, read the file back, drop the partition; returns the ledger row.

    If killed and run again, it continues with the file that exists. Raises BadFile when
    that file holds something else, OSError, and OperationalError when others use the month for a
    minute and a half, or when a call of it is under legal hold.
    """
    path = directory / month.file_name()
    with (
        all_tenants("drop a month of the archive"),
        ledger.recorded(
            RunKind.DROP, selection=str(path), started_by=started_by, cut_off=month.next
        ) as run,
    ):
        with ledger.heartbeat(run):
            if not path.exists():
                _export(month, path)
            with transaction.atomic(), connection.cursor() as cursor:
                calls, checksum = files.read(cursor, path)
            run.sha256 = files.digest(path)
        files.write_digest(path, run.sha256)
        moved = batches.BatchResult(batches.BEGINNING, calls, 0, path.stat().st_size, checksum)
        month_locks.until_free(partial(_drop, month, run, moved))
    analyze_after(run)
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
