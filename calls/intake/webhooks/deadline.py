"""The deadline of a callback, and the response when the database is unavailable."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from time import monotonic
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from psycopg.pq import TransactionStatus

from database.errors import RETRY_AFTER, cause_name, is_unavailable

logger = logging.getLogger("replytics.intake")

# In front of a statement, in the same message: holds for that message or the surrounding
# transaction. Milliseconds.
SET_TIMEOUTS = """
SELECT set_config('lock_timeout', '700', true), set_config('statement_timeout', '900', true);
"""
# Seconds; for a database that accepts statements and never answers.
MAX_RESPONSE_TIME = 2.5
# Seconds within which a closed kept connection fails; reconnecting takes up to 2.
RECONNECT_WINDOW = 0.4

View = Callable[[HttpRequest], HttpResponse]

_deadline: ContextVar[float | None] = ContextVar("calls.intake.deadline", default=None)


def answer_503_without_database(view: View) -> View:
    """A 503 within three seconds, which the provider repeats, instead of a 500 or a long wait.

    Checking the connection before each event would take a round trip. Instead, an event that finds
    it broken is retried on a new one: events are idempotent.
    """

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        began = monotonic()
        token = _deadline.set(began + MAX_RESPONSE_TIME)
        database: Any = connection
        reused = database.connection
        database.health_check_done = True
        try:
            try:
                return view(request)
            except DatabaseError as error:
                if not is_unavailable(error):
                    raise
                if reused is None or not reused.closed or monotonic() > began + RECONNECT_WINDOW:
                    raise
                connection.close()
                return view(request)
        except DatabaseError as error:
            if not is_unavailable(error):
                raise
            # The message may quote a value; the class name of the cause never does.
            return service_unavailable(cause_name(error))
        finally:
            _deadline.reset(token)

    return wrapped


def ask(sql: str, values: Mapping[str, Any]) -> Any:
    """The first row of a statement with a time limit. Raises DatabaseError."""
    with connection.cursor() as cursor, _answered_in_time():
        cursor.execute(SET_TIMEOUTS + sql, values)
        cursor.nextset()
        return cursor.fetchone()


@contextmanager
def _answered_in_time() -> Iterator[None]:
    """Fail a statement, and close its connection, when the server does not answer in time."""
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
    """The 503; its cause is only logged."""
    logger.error("An event was answered with 503: %s", cause)
    return JsonResponse(
        {"detail": "The event cannot be stored now. Send it again."},
        status=503,
        headers={"Retry-After": str(RETRY_AFTER)},
    )
