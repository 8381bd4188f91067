"""How migrate waits: never where traffic would wait behind it, and never two at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors
from psycopg.pq import TransactionStatus

from database.safe_migrations.blockers import blockers_of
from database.safe_migrations.locks import effects

LEAST_WAIT = 0.05  # seconds that even the last lock of a transaction is waited for
FIRST_PAUSE, MAX_PAUSE = 1.0, 30.0  # seconds between tries
TURN = 0.5  # seconds between two looks at whether another migrate has ended
# pg_try_advisory_lock(int, int); nobody waits inside a statement, whose snapshot would hold up the
# other's CREATE INDEX CONCURRENTLY.
SOLE = (9_041, 1)
TRY_ALONE = "SELECT pg_try_advisory_lock(%s, %s)"
NOT_ALONE = "SELECT pg_advisory_unlock(%s, %s)"
WHO_MIGRATES = """
SELECT concat_ws(', ', 'process ' || pid, a.client_addr::text, 'since ' || to_char(
    a.backend_start AT TIME ZONE 'UTC', 'HH24:MI:SS "UTC"'))
FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND (l.classid, l.objid, l.objsubid) = (%s, %s, 2)
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class AnotherMigrates(Exception):
    """Another migrate works on this database."""


class Pooled(Exception):
    """The connection is not a session of its own."""


class Blocked(Exception):
    """A lock could not be had; the message names who holds it."""


class TooLong(Exception):
    """A statement that stops traffic was ended; the message names what it stopped."""


@dataclass
class Limits:
    """How long the statements of a connection may wait and hold; seconds."""

    lock_timeout: float = 1.0
    patience: float = 300.0  # for locks that stop nobody
    hold_limit: float = 5.0  # for one statement that stops traffic; 0: none
    # When the first lock of this transaction that stops traffic was asked for.
    _since: float | None = field(default=None, init=False)

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        """An execute wrapper, under which each statement gets the timeouts that it may have."""
        session = context["connection"].connection
        status = session.info.transaction_status
        if status == TransactionStatus.INERROR:
            return execute(sql, params, many, context)  # only a ROLLBACK can follow
        if status == TransactionStatus.IDLE:
            self._since = None
        found = effects(str(sql))
        stopping = [effect for effect in found if effect.lock.stops]
        now = time.monotonic()
        if stopping and self._since is None:
            self._since = now
        wait = self.patience
        if self._since is not None:  # one budget for all that a transaction holds and waits for
            wait = max(self.lock_timeout - (now - self._since), LEAST_WAIT)
        limit = self.hold_limit if stopping else 0
        _set(session, lock_timeout=wait, statement_timeout=limit)
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            if isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                raise Blocked(_blocked(context["connection"], found, wait)) from error
            if isinstance(error.__cause__, errors.QueryCanceled) and limit:
                what = " and ".join(sorted({f"{e.lock.stops} of {e.table}" for e in stopping}))
                raise TooLong(f"{_head(sql)} stopped {what} for {limit:g} seconds") from error
            raise


def _set(session: Any, **seconds: float) -> None:
    milliseconds = {name: round(value * 1000) for name, value in seconds.items()}
    session.execute("; ".join(f"SET {name} = {value}" for name, value in milliseconds.items()))


def _head(sql: Any) -> str:
    words = " ".join(str(sql).split())
    return words if len(words) < 100 else f"{words[:97]}..."


def _blocked(connection: BaseDatabaseWrapper, found: list[Any], waited: float) -> str:
    strongest = max(found, key=lambda effect: effect.lock, default=None)
    name = f"{strongest.lock} on {strongest.table or strongest.index}" if strongest else "a lock"
    # The transaction has failed: who is in the way is asked over a connection of its own.
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
            who = [str(one) for one in blockers_of(cursor, found)]
    finally:
        other.close()
    held = f", held off by {'; '.join(who)}" if who else ""
    return f"Gave up {name} after {waited:.2g} s{held}"


@contextmanager
def limited(connection: BaseDatabaseWrapper, limits: Limits) -> Iterator[None]:
    """Every statement of the connection under the limits; a killed client ends its statement."""
    with connection.cursor() as cursor:
        cursor.execute("SET client_connection_check_interval = '1s'")
    try:
        with connection.execute_wrapper(limits):
            yield
    finally:
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                for name in ("lock_timeout", "statement_timeout"):
                    cursor.execute(f"RESET {name}")
                cursor.execute("RESET client_connection_check_interval")


@contextmanager
def alone(
    connection: BaseDatabaseWrapper, *, patience: float, tell: Callable[[str], None]
) -> Iterator[None]:
    """The only migrate of the database; waits for another one for up to `patience` seconds.

    Raises AnotherMigrates after that, and Pooled when the lock was not on this session.
    """
    deadline = time.monotonic() + patience
    told = False
    while not _one(connection, TRY_ALONE):
        who = _one(connection, WHO_MIGRATES) or "it has just ended"
        if time.monotonic() >= deadline:
            raise AnotherMigrates(f"Another migrate works on this database ({who})")
        if not told:
            tell(f"Another migrate works on this database ({who}); waiting for it")
        told = True
        time.sleep(TURN)
    try:
        yield
    finally:
        lost = connection.connection is None or not connection.is_usable()
        released = lost or _one(connection, NOT_ALONE)
    if not released:
        raise Pooled


def _one(connection: BaseDatabaseWrapper, query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, SOLE)
        row = cursor.fetchone()
        return row and row[0]


def persist(work: Callable[[], None], *, patience: float, tell: Callable[[str], None]) -> None:
    """Do the work again while it is Blocked, pausing longer each time; what it raises after that.

    `work` begins where it was stopped: it looks itself what is left.
    """
    deadline = time.monotonic() + patience
    pause = FIRST_PAUSE
    while True:
        try:
            return work()
        except Blocked as blocked:
            if time.monotonic() + pause > deadline:
                raise
            tell(f"{blocked}; trying again in {pause:g} s")
        time.sleep(pause)
        pause = min(pause * 2, MAX_PAUSE)
