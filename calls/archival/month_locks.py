"""Waiting for locks that others hold, without making others wait."""

import time
from collections.abc import Callable

import psycopg
from django.db import OperationalError

# Whoever comes while one waits stands behind it, so it waits for no longer than intake may and
# gives way before it tries again. An autovacuum of the table does not give way within that time.
LOCK_TIMEOUT = "SELECT set_config('lock_timeout', '500ms', true)"
TRIES = 60
PAUSE = 1.0  # seconds


def until_free(step: Callable[[], None]) -> None:
    """Call step, a transaction under a lock_timeout, again while others hold its locks.

    Raises OperationalError when they do at every try, for a minute and a half in all.
    """
    for remaining in reversed(range(TRIES)):
        try:
            step()
            return
        except OperationalError as error:
            if not remaining or not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
        time.sleep(PAUSE)
