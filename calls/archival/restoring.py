"""From calls_archive back to calls and the tables beside it, as they were to the byte."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from calls.archival import batches, ledger
from calls.archival.columns import CARRIED, require_agreement
from calls.archival.models import ArchiveRun, RunKind
from calls.archival.parts import PARTS, folded_parts
from calls.archival.statistics import analyze_after
from tenancy import all_tenants

# A batch's partitions are found by its first and last created_at.
LOCK = """
WITH batch AS (
    SELECT id, call_sid, created_at FROM calls_archive
    WHERE (created_at, id) > (%(after)s, %(after_id)s) AND {chosen}
    ORDER BY created_at, id LIMIT %(rows)s FOR UPDATE SKIP LOCKED
)
SELECT array_agg(id)::text, array_agg(call_sid)::text, min(created_at), max(created_at),
    (array_agg(id ORDER BY created_at DESC, id DESC))[1]
FROM batch
"""
# First the SIDs, or calls_sid_not_archived would refuse the INSERT.
FREE_SIDS = "DELETE FROM app.archived_call_sids WHERE call_sid = ANY(%(sids)s::text[])"
CHOSEN_ROWS = "id = ANY(%(ids)s::uuid[]) AND created_at BETWEEN %(first)s AND %(last)s"
INSERT_CALLS = f"""
INSERT INTO calls ({{columns}}) SELECT {{columns}} FROM calls_archive WHERE {CHOSEN_ROWS}
"""
INSERT_METADATA = f"""
INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields, created_at)
SELECT id, phone_id, metadata, tags, custom_fields, metadata_created_at
FROM calls_archive WHERE {CHOSEN_ROWS} AND metadata_created_at IS NOT NULL
"""
INSERT_PARTS = f"""
INSERT INTO {{table}}
SELECT (jsonb_populate_record(NULL::{{table}},
    part || jsonb_build_object('phone_id', phone_id, 'call_sid', {{sid}}))).*
FROM calls_archive CROSS JOIN LATERAL jsonb_array_elements({{column}}) AS part WHERE {CHOSEN_ROWS}
"""
# Compares what leaves the archive with what the tables now hold.
REMOVE = f"""
WITH removed AS (
    DELETE FROM calls_archive WHERE {CHOSEN_ROWS} RETURNING {{columns}}, {{extra}}
), back AS (
    SELECT {{calls_columns}}, coalesce(m.metadata, '{{{{}}}}') AS metadata,
        coalesce(m.tags, '{{{{}}}}') AS tags,
        coalesce(m.custom_fields, '{{{{}}}}') AS custom_fields,
        m.created_at AS metadata_created_at, {{parts}}
    FROM calls LEFT JOIN call_metadata m ON m.call_id = calls.id
    WHERE calls.id = ANY(%(ids)s::uuid[])
)
SELECT
    (SELECT count(*) FROM removed), (SELECT {{removed_checksum}} FROM removed),
    count(*), {{back_checksum}}, count(metadata_created_at),
    coalesce(sum(pg_column_size(back)), 0)
FROM back
"""
COUNT = "SELECT count(*) FROM calls_archive WHERE {chosen}"


@dataclass(frozen=True)
class Choice:
    """Which archived calls: those of a line that began in [since, until), or the one of a SID."""

    phone_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    call_sid: str | None = None

    def sql(self) -> str:
        if self.call_sid is not None:
            return "call_sid = %(call_sid)s"
        return "phone_id = %(phone_id)s AND created_at >= %(since)s AND created_at < %(until)s"

    def __str__(self) -> str:
        if self.call_sid is not None:
            return "one call"
        return f"from {self.since} to {self.until}"


def count(choice: Choice) -> int:
    """How many calls a choice would restore. Needs the scope of staff."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(chosen=choice.sql()), vars(choice))
        found: int = cursor.fetchone()[0]
    return found


def restore_calls(
    choice: Choice,
    *,
    batch_size: int = 1_000,
    started_by: str,
    should_stop: Callable[[], bool] = lambda: False,
    on_batch: Callable[[batches.BatchResult], None] = lambda moved: None,
) -> ArchiveRun:
    """Move the chosen calls back, updated_at and all, and return the run's ledger row.

    Calls that are no longer in the archive are not an error. A restored call older than the
    archiver's cut-off is archived again unless it is put on legal hold.
    """
    with (
        all_tenants("restore calls"),
        ledger.recorded(
            RunKind.RESTORE,
            selection=str(choice),
            started_by=started_by,
            phone_id=choice.phone_id,
        ) as run,
    ):
        batches.in_batches(
            run,
            _restorer(require_agreement(), choice),
            size=batch_size,
            limit=None,
            should_stop=should_stop,
            on_batch=on_batch,
        )
    analyze_after(run)
    return run


def _restorer(columns: list[str], choice: Choice) -> batches.Move:
    insert = INSERT_CALLS.format(columns=batches.names(columns))
    remove = REMOVE.format(
        columns=batches.names(columns),
        calls_columns=batches.names(columns, "calls"),
        extra=batches.names(CARRIED),
        parts=folded_parts("calls"),
        removed_checksum=batches.CHECKSUM.format(row="removed"),
        back_checksum=batches.CHECKSUM.format(row="back"),
    )

    def next_batch(
        cursor: CursorWrapper, rows: int, after: batches.CallKey
    ) -> batches.BatchResult | None:
        cursor.execute(
            LOCK.format(chosen=choice.sql()),
            vars(choice) | {"rows": rows, "after": after[0], "after_id": after[1]},
        )
        ids, sids, first, last, last_id = cursor.fetchone()
        if ids is None:
            return None
        chosen = {"ids": ids, "first": first, "last": last}
        cursor.execute(FREE_SIDS, {"sids": sids})
        cursor.execute(insert, chosen)
        cursor.execute(INSERT_METADATA, chosen)
        for part in PARTS:
            sid = part.sid_of("calls_archive")
            cursor.execute(
                INSERT_PARTS.format(table=part.table, column=part.column, sid=sid), chosen
            )
        cursor.execute(remove, chosen)
        return batches.compared(cursor.fetchone(), (last, last_id))

    return next_batch
