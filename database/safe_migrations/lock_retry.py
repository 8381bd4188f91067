"""How migrate waits for locks: with timeouts and retries, and one migrate at a time."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors
from psycopg.pq import TransactionStatus

from database.safe_migrations.blockers import blockers_of

# Seconds, for the blocking statements of a transaction together. Longer than deadlock_timeout
# (1 s), after which PostgreSQL ends an autovacuum that is in the way; shorter than requests and
# callbacks, which queue behind it, wait for their locks (1.7 s).
LOCK_TIMEOUT = 1.2
RETRY_FOR = 300.0  # seconds; also the lock timeout of statements that block no traffic
STATEMENT_TIMEOUT = 5.0  # seconds, of one statement that blocks traffic
MIN_LOCK_TIMEOUT = 0.05  # seconds, when the transaction has used up its time
FIRST_PAUSE, MAX_PAUSE = 1.0, 30.0  # seconds between tries
POLL_INTERVAL = 0.5  # seconds between two looks at whether another migrate has ended
# While these wait and work, reads and writes go on. All other statements count as blocking.
NON_BLOCKING = re.compile(
    r"""\s* (?:
        (?: SELECT | WITH | INSERT | UPDATE | DELETE | MERGE | SET | RESET | SAVEPOINT | RELEASE )
            \b (?! .* ; \s* \S )
      | (?: CREATE \s+ (?:UNIQUE \s+)? INDEX | DROP \s+ INDEX | REINDEX \s+ \w+
          | REFRESH \s+ MATERIALIZED \s+ VIEW ) \s+ CONCURRENTLY \b
      | ALTER \s+ TABLE \s+ \S+ \s+ VALIDATE \s+ CONSTRAINT \s+ \S+ \s* $
    )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# Waiting in pg_advisory_lock() would hold a snapshot, for which the other migrate's CREATE INDEX
# CONCURRENTLY would wait: a deadlock.
LOCK_KEY = (9_041, 1)
TRY_LOCK = "SELECT pg_try_advisory_lock(%s, %s)"
UNLOCK = "SELECT pg_advisory_unlock(%s, %s)"
LOCK_HOLDER = """
SELECT 'process ' || pid FROM pg_locks WHERE locktype = 'advisory' AND granted
AND (classid, objid, objsubid) = (%s, %s, 2)
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class MigrateError(Exception):
    """Why migrate ended, and what to do next."""


class MigrationBlocked(MigrateError):
    """A lock was not granted in time; the message names the sessions that block it."""


class StatementTimeouts:
    """An execute wrapper that gives each statement of a migration its timeouts (seconds)."""

    def __init__(self, *, lock_timeout: float, retry_for: float, statement_timeout: float) -> None:
        self.lock_timeout = lock_timeout
        self.retry_for = retry_for
        self.statement_timeout = statement_timeout  # 0: none
        self._blocking_since: float | None = None

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        connection = context["connection"].connection
        status = connection.info.transaction_status
        if status == TransactionStatus.INERROR:
            return execute(sql, params, many, context)  # only a ROLLBACK can follow
        if status == TransactionStatus.IDLE:
            self._blocking_since = None
        is_blocking = not NON_BLOCKING.match(str(sql))
        now = time.monotonic()
        if is_blocking and self._blocking_since is None:
            self._blocking_since = now
        wait = max(self.retry_for, self.lock_timeout)
        if self._blocking_since is not None:
            wait = max(self.lock_timeout - (now - self._blocking_since), MIN_LOCK_TIMEOUT)
        limit = self.statement_timeout if is_blocking else 0
        connection.execute(
            f"SET lock_timeout = {wait * 1000:.0f}; SET statement_timeout = {limit * 1000:.0f}"
        )
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            statement = " ".join(str(sql).split())[:100]
            if isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                found = _blockers(context["connection"], str(sql), min_age=wait)
                raise MigrationBlocked(
                    f"No lock within {wait:.2g} s for {statement}; blocked by"
                    f" {'; '.join(found) or 'a session that has ended'}"
                ) from error
            if isinstance(error.__cause__, errors.QueryCanceled) and limit:
                raise MigrateError(
                    f"Blocked traffic for {limit:g} s and was ended: {statement}. Use steps that"
                    " block no traffic (CONTRIBUTING.md, Migrations), or --statement-timeout 0 in"
                    " a maintenance window"
                ) from error
            raise


def _blockers(connection: BaseDatabaseWrapper, sql: str, *, min_age: float) -> list[str]:
    other = connection.copy()  # the transaction of the first one has failed
    try:
        with other.cursor() as cursor:
            own = connection.connection.info.backend_pid
            return blockers_of(cursor, sql, min_age=min_age, ignore=own)
    finally:
        other.close()


@contextmanager
def statement_timeouts(
    connection: BaseDatabaseWrapper, timeouts: StatementTimeouts
) -> Iterator[None]:
    """Runs every statement of the connection under the timeouts."""
    with connection.cursor() as cursor:  # the server ends the statement of a killed migrate
        cursor.execute("SET client_connection_check_interval = '1s'")
    try:
        with connection.execute_wrapper(timeouts):
            yield
    finally:
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout; RESET statement_timeout")
                cursor.execute("RESET client_connection_check_interval")


@contextmanager
def migration_lock(
    connection: BaseDatabaseWrapper, *, wait: float, notify: Callable[[str], None]
) -> Iterator[None]:
    """Holds the advisory lock that lets one migrate at a time work on a database.

    Raises MigrateError after `wait` seconds, and when the lock was not on this session.
    """
    deadline = time.monotonic() + wait
    is_notified = False
    while not _scalar(connection, TRY_LOCK):
        holder = f"Another migrate runs on this database ({_scalar(connection, LOCK_HOLDER)})"
        if time.monotonic() >= deadline:
            raise MigrateError(f"{holder}. Run migrate again when it has ended")
        if not is_notified:
            notify(f"{holder}; waiting for it")
        is_notified = True
        time.sleep(POLL_INTERVAL)
    try:
        yield
    finally:
        is_lost = connection.connection is None or not connection.is_usable()
        is_released = is_lost or _scalar(connection, UNLOCK)
    if not is_released:
        raise MigrateError(
            "The owner's connection changed its session: OWNER_DATABASE_URL must lead to"
            " PostgreSQL itself or to a pooler in session mode"
        )


def _scalar(connection: BaseDatabaseWrapper, query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, LOCK_KEY)
        row = cursor.fetchone()
        return row and row[0]


def retry_while_blocked(
    work: Callable[[], None], *, retry_for: float, notify: Callable[[str], None]
) -> None:
    """Calls `work` again while it raises MigrationBlocked, with pauses of `retry_for` s in all.

    Each call has to find out by itself what is left to do.
    """
    pause, paused = FIRST_PAUSE, 0.0
    while True:
        try:
            return work()
        except MigrationBlocked as blocked:
            if paused + pause > retry_for:
                raise
            notify(f"{blocked}; trying again in {pause:g} s")
        time.sleep(pause)
        paused += pause
        pause = min(pause * 2, MAX_PAUSE)
