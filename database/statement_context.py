"""Which request, job or command runs a statement, for whoever watches the database.

It travels with the scope and is the session's application_name for as long: what it says is
written by us (the pattern of an address, the name of a task) and never holds a line's data.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

LENGTH = 63  # characters that the server keeps of a name
# It stands inside a quoted literal of a statement whose percent signs the driver reads.
_ELSE = re.compile(r"[^0-9A-Za-z_<>:./ -]")

_work: ContextVar[Callable[[], str] | None] = ContextVar(
    "database.statement_context", default=None
)


@contextmanager
def statement_context(
    name: str | Callable[[], str], *, lock_timeout: int | None = None
) -> Iterator[None]:
    """Name the statements of a `with` block; a function is asked when a transaction begins.

    A transaction keeps the name that it began with. lock_timeout, in milliseconds, is how long a
    statement waits for a lock unless its transaction sets another one; None: as the server has it.
    """
    ask = name if callable(name) else lambda: name
    token = _work.set(lambda: _settings(ask(), lock_timeout))
    try:
        yield
    finally:
        _work.reset(token)


def context_settings() -> str:
    """Calls of set_config() for a SELECT, transaction-local; empty outside of any work."""
    work = _work.get()
    return work() if work else ""


@lru_cache(maxsize=1024)
def _settings(name: str, lock_timeout: int | None) -> str:
    settings = f"set_config('application_name','{_ELSE.sub('_', name)[:LENGTH]}',true)"
    if lock_timeout is not None:
        settings += f",set_config('lock_timeout','{lock_timeout}',true)"
    return settings
