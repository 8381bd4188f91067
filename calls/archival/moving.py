"""From calls to calls_archive, each call whole, in one transaction per batch."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper

from calls.archival import batches, ledger, month_locks
from calls.archival.columns import CARRIED, require_agreement
from calls.archival.models import ArchiveRun, RunKind
from calls.archival.parts import PARTS, folded_parts
from calls.archival.statistics import analyze_after
from calls.models import ENDED, LIVE
from tenancy import all_tenants

BATCH_SIZE = 1_000

MOVABLE = """
WITH old AS (
    SELECT id, created_at, legal_hold, status = ANY(%(live)s) AS live
    FROM calls WHERE created_at < %(cut_off)s {line}
), movable AS (
    SELECT id, created_at FROM old WHERE NOT live AND NOT legal_hold
    ORDER BY created_at, id LIMIT %(limit)s
)
"""
# How many calls before the cut-off would move, by month, and how many stay and why.
SURVEY = f"""{MOVABLE}
SELECT date_trunc('month', created_at, 'UTC'), count(*),
    (SELECT count(*) FROM old WHERE live),
    (SELECT count(*) FROM old WHERE legal_hold AND NOT live)
FROM movable GROUP BY GROUPING SETS ((1), ()) ORDER BY 1
"""
METADATA = f"{MOVABLE} SELECT count(*) FROM movable JOIN call_metadata ON call_id = id"
# A statement of its own: the next one's snapshot then includes whatever was written to these calls
# and their metadata until they were locked. The key resumes an ordered scan where the last batch
# ended, past the index entries of what was moved. This and MOVE together hold the calls' locks for
# less than the second that a late event of one of them may wait. app.archiving tells the
# triggers to skip what MOVE does for all rows at once, and changes that move no statistics.
LOCK = """
SELECT set_config('lock_timeout', '450ms', true), set_config('statement_timeout', '490ms', true),
    set_config('app.archiving', 'on', true);
WITH batch AS (
    SELECT ctid, id, created_at FROM calls
    WHERE created_at < %(until)s AND (created_at, id) > (%(after)s, %(after_id)s)
        AND status = ANY(%(ended)s) AND NOT legal_hold {line}
    ORDER BY created_at, id LIMIT %(rows)s FOR UPDATE SKIP LOCKED
)
SELECT array_agg(ctid)::text, array_agg(id)::text, max(created_at),
    (array_agg(id ORDER BY created_at DESC, id DESC))[1]
FROM batch
"""
# The locked rows cannot change their place, so ctid finds them again. The metadata goes first: the
# cascade, which would take it along row by row, finds none.
MOVE = """
WITH meta AS (
    DELETE FROM call_metadata WHERE call_id = ANY(%(ids)s::uuid[]) RETURNING *
), moved AS (
    DELETE FROM calls WHERE ctid = ANY(%(rows)s::tid[]) RETURNING *
), whole AS (
    SELECT {moved_columns}, coalesce(meta.metadata, '{{}}') AS metadata,
        coalesce(meta.tags, '{{}}') AS tags, coalesce(meta.custom_fields, '{{}}') AS custom_fields,
        meta.created_at AS metadata_created_at, {parts}
    FROM moved LEFT JOIN meta ON meta.call_id = moved.id
), {removals}, copied AS (
    INSERT INTO calls_archive ({columns}, {extra}) SELECT * FROM whole RETURNING {columns}, {extra}
)
SELECT
    (SELECT count(*) FROM whole), (SELECT {whole_checksum} FROM whole),
    count(*), {copied_checksum}, count(metadata_created_at),
    coalesce(sum(pg_column_size(copied)), 0)
FROM copied
"""
REMOVE_PART = """{column} AS (
    DELETE FROM {table} p USING moved WHERE (p.phone_id, p.call_sid) = (moved.phone_id, {sid})
)"""
# Of a batch, the calls whose metadata no other transaction has locked.
NOT_BUSY = """
WITH free AS (
    SELECT call_id FROM call_metadata WHERE call_id = ANY(%(ids)s::uuid[]) FOR UPDATE SKIP LOCKED
)
SELECT array_agg(place)::text, array_agg(id)::text
FROM unnest(%(rows)s::tid[], %(ids)s::uuid[]) AS batch (place, id)
WHERE id NOT IN (
    SELECT call_id FROM call_metadata WHERE call_id = ANY(%(ids)s::uuid[])
    EXCEPT SELECT call_id FROM free
)
"""
MAKE_PARTITION = "SELECT app.create_archive_partitions(%(month)s, %(month)s)"
# For whoever archives by the document's statement, which makes no partitions.
MAKE_COMING_PARTITIONS = "SELECT app.create_archive_partitions(now() - interval '1 year', now())"


@dataclass(frozen=True)
class Survey:
    """The calls before a cut-off: those that can move and those that stay."""

    months: list[datetime]
    calls: int
    left_live: int
    left_held: int


def survey(*, cut_off: datetime, phone_id: str | None = None, limit: int | None = None) -> Survey:
    """Count without changing anything; limit as in archive_calls. Needs the scope of staff."""
    *by_month, total = _query(SURVEY, cut_off, phone_id, limit)
    _, calls, left_live, left_held = total
    return Survey([month for month, *_ in by_month], calls, left_live, left_held)


def count_metadata(
    *, cut_off: datetime, phone_id: str | None = None, limit: int | None = None
) -> int:
    """Metadata rows of the calls that can move, which takes longer than the survey."""
    [(rows,)] = _query(METADATA, cut_off, phone_id, limit)
    found: int = rows
    return found


def _query(
    sql: str, cut_off: datetime, phone_id: str | None, limit: int | None
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.format(line=_line(phone_id)),
            {"cut_off": cut_off, "phone_id": phone_id, "limit": limit, "live": LIVE},
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def archive_calls(
    *,
    cut_off: datetime,
    phone_id: str | None = None,
    batch_size: int = BATCH_SIZE,
    limit: int | None = None,
    workers: int = 1,
    plan: Survey | None = None,
    started_by: str,
    should_stop: Callable[[], bool] = lambda: False,
    on_batch: Callable[[batches.BatchResult], None] = lambda moved: None,
) -> ArchiveRun:
    """Move ended calls that began before cut_off, oldest first, and return the run's ledger row.

    Calls in progress or under legal hold stay; so do, until the next run, calls that others have
    locked. Several runs may share the work, as do the `workers` connections of one run; with a
    limit only one is used, to keep the order. plan is the survey of the same calls, if already
    made. Raises ArchiveMismatch.
    """
    with all_tenants("archive calls"):
        columns = require_agreement()
        with ledger.recorded(
            RunKind.ARCHIVE,
            selection=f"before {cut_off.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            started_by=started_by,
            phone_id=phone_id,
            cut_off=cut_off,
        ) as run:
            plan = plan or survey(cut_off=cut_off, phone_id=phone_id, limit=limit)
            for month in plan.months:
                month_locks.until_free(partial(_make_partition, month))
            month_locks.until_free(_make_coming_partitions)
            months = MonthQueue(plan.months)

            def work(stop: Callable[[], bool]) -> None:
                batches.in_batches(
                    run,
                    _mover(columns, months, cut_off=cut_off, phone_id=phone_id),
                    size=batch_size,
                    limit=limit,
                    should_stop=stop,
                    on_batch=on_batch,
                )

            useful = 1 if limit is not None else -(-plan.calls // batch_size)
            batches.shared(work, workers=min(workers, useful), should_stop=should_stop)
            left = survey(cut_off=cut_off, phone_id=phone_id)
            run.left_live, run.left_held = left.left_live, left.left_held
            run.remaining = left.calls
    analyze_after(run)
    return run


class MonthQueue:
    """The months of a run, shared by its connections: one for each, as long as there are enough.

    Two in one month would contend for the last pages of its partition and indexes.
    """

    def __init__(self, months: Sequence[datetime]) -> None:
        self._waiting = deque(months)
        self._begun: list[datetime] = []
        self._lock = threading.Lock()

    def next(self, done: datetime | None) -> datetime | None:
        """The next month for a connection that found no more calls in `done`."""
        with self._lock:
            if done in self._begun:
                self._begun.remove(done)
            if self._waiting:
                self._begun.append(self._waiting.popleft())
                return self._begun[-1]
            return self._begun[0] if self._begun else None


def _mover(
    columns: list[str], months: MonthQueue, *, cut_off: datetime, phone_id: str | None
) -> batches.Move:
    lock = LOCK.format(line=_line(phone_id))
    move = MOVE.format(
        columns=batches.names(columns),
        moved_columns=batches.names(columns, "moved"),
        extra=batches.names(CARRIED),
        parts=folded_parts("moved"),
        removals=", ".join(
            REMOVE_PART.format(column=part.column, table=part.table, sid=part.sid_of("moved"))
            for part in PARTS
        ),
        whole_checksum=batches.CHECKSUM.format(row="whole"),
        copied_checksum=batches.CHECKSUM.format(row="copied"),
    )
    month = months.next(None)
    is_busy = False

    def next_batch(
        cursor: CursorWrapper, rows: int, after: batches.CallKey
    ) -> batches.BatchResult | None:
        nonlocal month, is_busy
        places = None
        while month is not None and places is None:
            until = min(_next(month), cut_off)
            place = after if month <= after[0] < until else _just_before(month)
            cursor.execute(
                lock,
                {"until": until, "phone_id": phone_id, "ended": ENDED}
                | {"rows": rows, "after": place[0], "after_id": place[1]},
            )
            cursor.nextset()
            places, ids, *last = cursor.fetchone()
            if places is None:
                month = months.next(month)
        if places is None:
            return None
        if is_busy:
            cursor.execute(NOT_BUSY, {"rows": places, "ids": ids})
            places, ids = cursor.fetchone()
        try:
            cursor.execute(move, {"rows": places or "{}", "ids": ids or "{}"})
        except OperationalError as error:
            # Metadata of these calls is being written: the next attempt skips those calls.
            is_busy = isinstance(error.__cause__, psycopg.errors.LockNotAvailable)
            raise
        is_busy = False
        return batches.compared(cursor.fetchone(), (last[0], last[1]))

    return next_batch


def _next(month: datetime) -> datetime:
    return (month + timedelta(days=31)).replace(day=1)


def _just_before(month: datetime) -> batches.CallKey:
    return month - timedelta.resolution, UUID(int=2**128 - 1)


def _make_partition(month: datetime) -> None:
    with batches.bounded() as cursor:
        cursor.execute(MAKE_PARTITION, {"month": month})


def _make_coming_partitions() -> None:
    with batches.bounded() as cursor:
        cursor.execute(MAKE_COMING_PARTITIONS)


def _line(phone_id: str | None) -> str:
    return "" if phone_id is None else "AND phone_id = %(phone_id)s"
