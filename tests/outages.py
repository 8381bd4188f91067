"""A database that is locked, or that is not where it should be."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections, transaction

from replytics.settings import LIBPQ

WAITS_FOR_US = """
SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
"""


def until_taken(send: Callable[[], Any]) -> int:
    """The status of the first answer but 503, which who sends is told to repeat."""
    answers = (send().status_code for _ in range(10))
    return next((status for status in answers if status != 503), 503)


@contextmanager
def locked(statement: str, *parameters: Any) -> Iterator[None]:
    """Another session holds a lock for as long as the block lasts."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        owner = connections["owner"]
        with transaction.atomic(using="owner"), owner.cursor() as cursor:
            cursor.execute(statement, parameters)
            held.set()
            done.wait(timeout=300)
        owner.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(timeout=60)
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def database_at(port: int) -> Iterator[None]:
    """The product looks for it there, for as long as in production."""
    settings = connection.settings_dict
    kept = settings["PORT"], settings["OPTIONS"]
    connection.close()
    settings["PORT"], settings["OPTIONS"] = port, settings["OPTIONS"] | LIBPQ
    try:
        yield
    finally:
        connection.close()
        settings["PORT"], settings["OPTIONS"] = kept
