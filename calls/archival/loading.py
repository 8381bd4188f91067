"""From a file of drop_archive back into the archive."""

from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from calls.archival import batches, files, ledger
from calls.archival.columns import catalog_columns
from calls.archival.models import ArchiveRun, RunKind, RunState
from tenants.scoping import all_tenants

MAKE_PARTITIONS = """
SELECT app.create_archive_partitions(month, month)
FROM (SELECT DISTINCT date_trunc('month', created_at, 'UTC') FROM arriving) months (month)
"""
# A line that was deleted since takes its calls with it: they must not come back.
LEAVE_OUT = "DELETE FROM arriving WHERE phone_id NOT IN (SELECT id FROM phone_numbers)"
# Statistics of a month that was dropped count its calls again once the last of them is back.
INSERT = """
WITH inserted AS (
    INSERT INTO calls_archive ({columns}) SELECT {columns} FROM arriving
    ON CONFLICT (id, created_at) DO NOTHING
    RETURNING phone_id, created_at
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
SELECT count(*) FROM inserted
"""
COMPARE = f"""
SELECT (SELECT {batches.CHECKSUM.format(row="arriving")} FROM arriving),
    {batches.CHECKSUM.format(row="a")}, count(metadata_created_at)
FROM calls_archive a WHERE (id, created_at) IN (SELECT id, created_at FROM arriving)
"""


@dataclass(frozen=True)
class Loaded:
    """What a file held: calls now in the archive, there before, and of lines that are gone."""

    run: ArchiveRun
    there_before: int
    of_deleted_lines: int


def load_file(path: Path, *, started_by: str) -> Loaded:
    """Put the calls of a file into the archive, in one transaction.

    Loading it again changes nothing. Raises BadFile for a file that is not as drop_archive wrote
    it, RowsDiffer when the archive holds one of its calls otherwise, IntegrityError when one of
    them is live, and OSError.
    """
    with (
        all_tenants("load a file into the archive"),
        ledger.recorded(RunKind.LOAD, asked=str(path), started_by=started_by) as run,
    ):
        run.sha256 = _require_digest(path)
        names = batches.names([column.name for column in catalog_columns("calls_archive")])
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            files.read(cursor, path)
            cursor.execute(MAKE_PARTITIONS)
            cursor.execute(LEAVE_OUT)
            left_out = cursor.rowcount
            cursor.execute(INSERT.format(columns=names))
            (inserted,) = cursor.fetchone()
            cursor.execute(files.COUNT_ARRIVING)
            arrived, _ = cursor.fetchone()
            cursor.execute(COMPARE)
            expected, checksum, metadata_rows = cursor.fetchone()
            if checksum != expected:
                raise batches.RowsDiffer
            batches.count(
                run,
                batches.Moved(
                    batches.BEGINNING, inserted, metadata_rows, path.stat().st_size, checksum
                ),
            )
    return Loaded(run, arrived - inserted, left_out)


def _require_digest(path: Path) -> str:
    """The file's SHA-256, when the file beside it or the ledger confirms it. Raises BadFile."""
    sha256 = files.digest(path)
    beside = files.digest_path(path)
    if beside.exists():
        if beside.read_text().split()[:1] != [sha256]:
            raise files.BadFile(f"{path} is damaged: it does not match {beside.name}")
    elif not ArchiveRun.objects.filter(state=RunState.DONE, sha256=sha256).exists():
        raise files.BadFile(
            f"{path} cannot be verified: {beside.name} is missing and the ledger does not know it"
        )
    return sha256
