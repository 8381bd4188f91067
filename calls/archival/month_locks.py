"""Waits for locks on a month without blocking others."""

import time
from collections.abc import Callable

import psycopg
from django.db import OperationalError

# Others queue behind a waiting lock request, so it waits no longer than intake may, and pauses
# before the next attempt. An autovacuum of the table does not give way within that time.
LOCK_TIMEOUT = "SELECT set_config('lock_timeout', '500ms', true)"
MAX_ATTEMPTS = 60
PAUSE = 1.0  # seconds


def until_free(step: Callable[[], None]) -> None:
    """Call step, a transaction under a lock_timeout, until its locks are free.

    Raises OperationalError after MAX_ATTEMPTS, about a minute and a half.
    """
    for remaining in reversed(range(MAX_ATTEMPTS)):
        try:
            step()
            return
        except OperationalError as error:
            if not remaining or not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
        time.sleep(PAUSE)
