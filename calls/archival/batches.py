"""Batches: one transaction each with bounded waits, smaller after a timeout."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

import psycopg
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F
from django.utils import timezone

from calls.archival.models import ArchiveRun, RunState
from tenancy import all_tenants

# A late event of a call may wait for the batch's row locks, so a batch is short. It does not wait
# for the disk (synchronous_commit = off): a crash of the server may undo the last batches, in both
# tables and in the ledger alike.
BOUNDS = """
SELECT set_config('lock_timeout', '500ms', true), set_config('statement_timeout', '1s', true),
    set_config('synchronous_commit', 'off', true)
"""
TIMEOUTS = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
)
MAX_TIMEOUTS = 8  # timeouts in a row, each on half the rows
# A batch that took longer than this many seconds is followed by one of half the rows, unless that
# is too few for a transaction.
SLOW_BATCH = 0.075
MIN_BATCH_SIZE = 100

# The bytes of a call with its metadata, hashed; the same call has the same hash in both tables.
CHECKSUM = "coalesce(bit_xor(hash_record_extended({row}, 0)), 0)"


# Where a batch ended: created_at and id of its last call.
CallKey = tuple[datetime, UUID]
BEGINNING: CallKey = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True)
class BatchResult:
    """What one batch did."""

    last: CallKey
    calls: int
    metadata_rows: int
    bytes: int
    checksum: int


Move = Callable[[CursorWrapper, int, CallKey], BatchResult | None]


class RowsDiffer(Exception):
    """The copied rows differ from the originals, so the batch was rolled back. Report this bug."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def compared(row: Sequence[int], last: CallKey) -> BatchResult:
    """The result of a batch from its statement's row: calls and checksum removed, calls and
    checksum inserted, metadata rows and bytes. Raises RowsDiffer.
    """
    left, left_checksum, calls, checksum, metadata_rows, size = row
    if (left, left_checksum) != (calls, checksum):
        raise RowsDiffer
    return BatchResult(last, calls, metadata_rows, int(size), checksum)


def names(columns: Sequence[str], table: str = "") -> str:
    """The columns for a SELECT list, qualified by the table when it is given."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + connection.ops.quote_name(column) for column in columns)


@contextmanager
def bounded() -> Iterator[CursorWrapper]:
    """A transaction of its own, and a cursor in it."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(BOUNDS)
        yield cursor


def in_batches(
    run: ArchiveRun,
    move: Move,
    *,
    size: int,
    limit: int | None,
    should_stop: Callable[[], bool],
    on_batch: Callable[[BatchResult], None],
) -> None:
    """Call move(cursor, rows, after) in a transaction each until it returns None or at the limit.

    Raises OperationalError after MAX_TIMEOUTS timeouts in a row.
    """
    after, moved_calls, rows, timeouts = BEGINNING, 0, size, 0
    while limit is None or moved_calls < limit:
        if should_stop():
            run.state = RunState.STOPPED
            return
        begun = monotonic()
        try:
            with bounded() as cursor:
                allowed = rows if limit is None else min(rows, limit - moved_calls)
                moved = move(cursor, allowed, after)
                if moved is None:
                    return
                count(run, moved)
        except OperationalError as error:
            timeouts += 1
            if not isinstance(error.__cause__, TIMEOUTS) or timeouts > MAX_TIMEOUTS:
                raise
            rows = max(rows // 2, 1)
            continue
        after, moved_calls, timeouts = moved.last, moved_calls + moved.calls, 0
        took = monotonic() - begun
        if took > SLOW_BATCH and rows >= 2 * MIN_BATCH_SIZE:
            rows //= 2
        elif took < SLOW_BATCH / 2:
            rows = min(rows * 2, size)
        on_batch(moved)


def shared(
    work: Callable[[Callable[[], bool]], None],
    *,
    workers: int,
    should_stop: Callable[[], bool],
) -> None:
    """Run work(should_stop) in `workers` threads at once, each with its own connection.

    The caller's thread is one of them, so that it receives signals. When one fails the others
    stop after their batch, and its exception is raised.
    """
    failed = threading.Event()

    def stop() -> bool:
        return failed.is_set() or should_stop()

    def guarded() -> None:
        try:
            work(stop)
        except BaseException:
            failed.set()
            raise

    def help_out() -> None:
        try:
            with all_tenants("share the archiver's work"):
                guarded()
        finally:
            connections.close_all()

    if workers <= 1:
        work(should_stop)
        return
    with ThreadPoolExecutor(workers - 1) as pool:
        helpers = [pool.submit(help_out) for _ in range(workers - 1)]
        guarded()
    for helper in helpers:
        helper.result()


def count(run: ArchiveRun, moved: BatchResult) -> None:
    """Inside the batch's transaction, so that the ledger is always correct."""
    ArchiveRun.objects.filter(pk=run.pk).update(
        calls=F("calls") + moved.calls,
        metadata_rows=F("metadata_rows") + moved.metadata_rows,
        bytes=F("bytes") + moved.bytes,
        checksum=F("checksum").bitxor(moved.checksum),
        batches=F("batches") + 1,
        heartbeat_at=timezone.now(),
    )
