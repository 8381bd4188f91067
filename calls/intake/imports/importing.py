"""Loads a file of calls in chunks of one transaction each; safe to repeat.

A later status moves the call forward, by the same rule as an event (app.call_progress), and brings
its values along (calls.intake.imports.merging); an earlier beginning, and what the call lacks, are
filled in. Nothing goes backward, so importing a file twice changes nothing, and rows give the same
calls in one file or several, in any order. Archived calls stay as they are. A row that names its
parent call is a leg of that, recorded when the calls of the file are loaded.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

import django.db
import psycopg

from calls.bulk_changes import bulk_change
from calls.intake.imports.chunks import Chunk, SeenCalls, chunks_of, prefetch
from calls.intake.imports.file_legs import LegCounts, keeping_legs
from calls.intake.imports.formats import Source
from calls.intake.imports.line_directory import all_lines
from calls.intake.imports.rejects import RejectsFile
from calls.intake.imports.row_reader import RowReader
from calls.intake.imports.times import TimeReader
from calls.intake.imports.upsert import count_changes, load
from calls.intake.models import EventOutcome
from database.errors import is_unavailable
from tenancy import all_tenants

OF_ANOTHER_LINE = "this call SID belongs to another line; correct the number of the line"


class ImportFailed(Exception):
    """The import ended early; the message says what to do. Committed chunks stay."""


@dataclass
class Counts:
    """Rows of a file: read = loaded + updated + unchanged + rejected. Legs are not among them."""

    read: int = 0
    loaded: int = 0
    updated: int = 0
    unchanged: int = 0
    archived: int = 0  # of those unchanged
    rejected: int = 0
    repeated: int = 0  # rows of a call that has an earlier row in the file
    legs: LegCounts = field(default_factory=LegCounts)
    ignored_columns: set[str] = field(default_factory=set)


def import_calls(
    *,
    source: Source,
    rejects: RejectsFile,
    counts: Counts,
    local: tzinfo | None = None,
    dry_run: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Load the calls of the source; those that cannot be loaded go to rejects with the reason.

    counts grows with each committed chunk, after which progress is called, and has the legs at the
    end. Times without a zone are in `local`, or in UTC. A dry run reads the database and writes
    nothing; there, rows of a call that has an earlier row count as unchanged. Raises
    UnreadableFile where the file cannot be read further, and ImportFailed where the database is
    unavailable.
    """

    def has_changed() -> bool:
        return not dry_run and bool(counts.loaded or counts.updated or counts.legs.recorded)

    try:
        with bulk_change(has_changed), all_tenants(f"import_calls {source.name!r}"):
            reader = RowReader(
                lines=all_lines("lines of an import"),
                times=TimeReader(now=datetime.now(UTC), local=local),
            )
            seen = SeenCalls()
            with (
                keeping_legs(
                    counts.legs, seen if dry_run else None, kept=[EventOutcome.WAITING]
                ) as legs,
                closing(prefetch(chunks_of(source.records, reader, seen))) as chunks,
            ):
                for chunk in chunks:
                    _load_chunk(chunk, counts, rejects, dry_run=dry_run)
                    legs.add(chunk.legs)
                    counts.ignored_columns = reader.unknown_columns
                    progress()
    except (django.db.Error, psycopg.Error) as error:
        if not is_unavailable(error):
            raise
        reason = str(error).partition("\n")[0]  # the lines below may quote a row
        raise ImportFailed(
            f"PostgreSQL: {reason}. Run the import again to continue where it stopped"
        ) from None


def _load_chunk(chunk: Chunk, counts: Counts, rejects: RejectsFile, *, dry_run: bool) -> None:
    """Load the calls of a chunk; rows of known legs are then among its legs."""
    if dry_run:
        results = [count_changes(chunk.rows, chunk.repeated)]
    else:
        results = [load(rows) for rows in chunk.parts()]
    foreign: list[tuple[int, str, str]] = []
    for loaded in results:
        foreign += [(row, sid, OF_ANOTHER_LINE) for row, sid in loaded.foreign]
        counts.loaded += loaded.new
        counts.updated += loaded.updated
        counts.archived += loaded.archived
        chunk.take_legs(loaded.legs)
    counts.read += len(chunk.rows) + len(chunk.rejected)
    counts.repeated += len(chunk.repeated)
    rejected = [*chunk.rejected, *foreign]
    counts.rejected += len(rejected)
    counts.unchanged = counts.read - counts.loaded - counts.updated - counts.rejected
    for row, call_sid, reason in sorted(rejected):
        rejects.add(row, call_sid, reason)
