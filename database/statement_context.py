"""Which request, job or command runs a statement, and how long that may take.

The name is for whoever watches the database: what it says is written by us (the pattern of an
address, the name of a task) and never holds a line's data. Name and timeouts travel with the
scope, so they hold behind a transaction pooler too.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from math import ceil
from time import monotonic
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus

LENGTH = 63  # characters that the server keeps of a name
# It stands inside a quoted literal of a statement whose percent signs the driver reads.
_ELSE = re.compile(r"[^0-9A-Za-z_<>:./ -]")
# Seconds beyond statement_timeout after which a server is taken to be silent: frozen, cut off, or
# behind a pooler that has no connection for us.
SILENCE = 0.5
MIN_TRY = 0.1  # seconds; the limit of a statement when the deadline has passed


class NoAnswer(psycopg.OperationalError):
    """The server did not answer in time; its connection was closed."""


class _Work(NamedTuple):
    name: Callable[[], str] | None = None
    lock_timeout: int | None = None
    statement_timeout: int | None = None
    deadline: float | None = None  # of monotonic(); SILENCE before an answer is due


_work: ContextVar[_Work | None] = ContextVar("database.statement_context", default=None)


@contextmanager
def statement_context(
    name: str | Callable[[], str],
    *,
    lock_timeout: int | None = None,
    statement_timeout: int | None = None,
) -> Iterator[None]:
    """Name the statements of a `with` block; a function is asked when a transaction begins.

    A transaction keeps the name that it began with. The timeouts are milliseconds, and hold for
    each statement unless its transaction sets others; None: as the server has it.
    """
    ask = name if callable(name) else lambda: name
    with _entered(_Work(ask, lock_timeout, statement_timeout)):
        yield


@contextmanager
def statement_timeouts(**timeouts: int) -> Iterator[None]:
    """Another lock_timeout or statement_timeout for a part of the work (milliseconds)."""
    with _entered((_work.get() or _Work())._replace(**timeouts)):  # type: ignore[arg-type]
        yield


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """The statements of a `with` block have this long together; each gets what is left of it.

    Of two such blocks, the one that ends first holds.
    """
    work = _work.get() or _Work()
    deadline = monotonic() + seconds - SILENCE
    if work.deadline is not None:
        deadline = min(deadline, work.deadline)
    with _entered(work._replace(deadline=deadline)):
        yield


def time_left() -> float | None:
    """Seconds for the next statement, in tenths rounded up; None where it has no limit."""
    work = _work.get() or _Work()
    limits = []
    if work.statement_timeout is not None:
        limits.append(work.statement_timeout / 1000)
    if work.deadline is not None:
        # Tenths, so that few texts are made of them.
        limits.append(ceil((work.deadline - monotonic()) * 10) / 10)
    return min(limits, default=None)


@contextmanager
def _entered(work: _Work) -> Iterator[None]:
    token = _work.set(work)
    try:
        yield
    finally:
        _work.reset(token)


def context_settings() -> str:
    """Calls of set_config() for a SELECT, transaction-local; empty outside of any work."""
    work = _work.get()
    if work is None:
        return ""
    left = time_left()
    timeout = None if left is None else round(max(left, MIN_TRY) * 1000)
    return _settings(work.name() if work.name else None, work.lock_timeout, timeout)


@contextmanager
def answered_in_time(driver: Any) -> Iterator[None]:
    """Fail a statement of a psycopg connection, and close that, when the server stays silent.

    statement_timeout is the server's; this is for a server that does not keep it. Raises NoAnswer.
    """
    left = time_left()
    if left is None:
        yield
        return
    limit = max(left + SILENCE, MIN_TRY)
    driver.wait = partial(type(driver).wait, driver, timeout=limit)
    try:
        yield
    except psycopg.OperationalError:
        if driver.pgconn.transaction_status != TransactionStatus.ACTIVE:
            raise
        driver.close()
        raise NoAnswer(f"no answer within {limit:g} s") from None
    finally:
        del driver.wait


@lru_cache(maxsize=1024)
def _settings(name: str | None, lock_timeout: int | None, statement_timeout: int | None) -> str:
    values = {
        "application_name": name and _ELSE.sub("_", name)[:LENGTH],
        "lock_timeout": lock_timeout,
        "statement_timeout": statement_timeout,
    }
    return ",".join(
        f"set_config('{setting}','{value}',true)"
        for setting, value in values.items()
        if value is not None
    )
