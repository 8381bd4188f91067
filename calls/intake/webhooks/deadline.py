"""How long a provider may be kept waiting, and the answer when the database cannot be had."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from time import monotonic
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from psycopg.pq import TransactionStatus

from database.errors import RETRY_AFTER, UNAVAILABLE_ERRORS, cause_name

logger = logging.getLogger("replytics.intake")

# In front of a statement, in the same message: holds for that message or the surrounding
# transaction. Milliseconds.
SET_TIMEOUTS = """
SELECT set_config('lock_timeout', '700', true), set_config('statement_timeout', '900', true);
"""
# Seconds; for a database that takes statements and never answers.
MAX_ANSWER_LENGTH = 2.5
# Seconds within which a kept connection that was closed meanwhile shows; connecting takes up to 2.
RECONNECT_WINDOW = 0.4

View = Callable[[HttpRequest], HttpResponse]

_deadline: ContextVar[float | None] = ContextVar("calls.intake.deadline", default=None)


def answer_503_without_database(view: View) -> View:
    """A 503 within three seconds, which the provider repeats, instead of a 500 or a long wait.

    Instead of asking before each event whether the connection still works, which is a round trip,
    an event that finds it broken is tried once more on a new one: events may be repeated.
    """

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        began = monotonic()
        token = _deadline.set(began + MAX_ANSWER_LENGTH)
        database: Any = connection
        kept = database.connection
        database.health_check_done = True
        try:
            try:
                return view(request)
            except UNAVAILABLE_ERRORS:
                if kept is None or not kept.closed or monotonic() > began + RECONNECT_WINDOW:
                    raise
                connection.close()
                return view(request)
        except UNAVAILABLE_ERRORS as error:
            # The message may quote a value; the class name of the cause never does.
            return service_unavailable(cause_name(error))
        finally:
            _deadline.reset(token)

    return wrapped


def ask(sql: str, values: Mapping[str, Any]) -> Any:
    """The first row of a statement that may not take long; else raises UNAVAILABLE_ERRORS."""
    with connection.cursor() as cursor, _answered_in_time():
        cursor.execute(SET_TIMEOUTS + sql, values)
        cursor.nextset()
        return cursor.fetchone()


@contextmanager
def _answered_in_time() -> Iterator[None]:
    """Let a statement fail, and its connection close, when the server is silent for too long."""
    driver: Any = connection.connection
    deadline = _deadline.get()
    if deadline is None:
        yield
        return
    driver.wait = partial(type(driver).wait, driver, timeout=max(0.0, deadline - monotonic()))
    try:
        yield
    finally:
        del driver.wait
        if driver.pgconn.transaction_status == TransactionStatus.ACTIVE:
            connection.close()


def service_unavailable(cause: str) -> HttpResponse:
    """The 503; the cause goes to the log alone."""
    logger.error("an event was put off: %s", cause)
    return JsonResponse(
        {"detail": "The event cannot be stored now; send it again."},
        status=503,
        headers={"Retry-After": str(RETRY_AFTER)},
    )
