"""The deadline of a callback, and the response when the database is unavailable."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from time import monotonic
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from database.errors import RETRY_AFTER, cause_name, is_unavailable, sqlstate
from database.statement_context import MIN_TRY, answered_within, statement_timeouts, time_left

logger = logging.getLogger("replytics.intake")

# Seconds, for a callback and its retries, of a database that does anything whatever.
MAX_RESPONSE_TIME = 2.5
# Seconds for the first try. Longer than migrate waits for a lock, with all callbacks behind it
# (LOCK_TIMEOUT in database/safe_migrations/lock_retry.py).
LOCK_TIMEOUT = 1.7
# A deadlock, or a lock that was not granted in time: another try may well succeed.
WORTH_RETRYING = {"40001", "40P01", "55P03"}
# Seconds within which a closed kept connection fails; reconnecting takes up to 2.
RECONNECT_WINDOW = 0.4

View = Callable[[HttpRequest], HttpResponse]


def answer_503_without_database(view: View) -> View:
    """A 503 within three seconds, which the provider repeats, instead of a 500 or a long wait.

    Events are idempotent, so one is tried again within that time. Checking the connection before
    each event would take a round trip: instead an event that finds it broken is sent once more.
    """

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        began = monotonic()
        database: Any = connection
        reused = database.connection
        database.health_check_done = True
        with answered_within(MAX_RESPONSE_TIME):
            while True:
                try:
                    return view(request)
                except DatabaseError as error:
                    if not is_unavailable(error):
                        raise
                    is_broken = reused is not None and reused.closed
                    may_reconnect = is_broken and monotonic() < began + RECONNECT_WINDOW
                    has_time = (time_left() or 0) > MIN_TRY
                    is_worthwhile = sqlstate(error) in WORTH_RETRYING and has_time
                    if not (may_reconnect or is_worthwhile):
                        # The message may quote a value; the class of the cause never does.
                        return service_unavailable(cause_name(error))
                    if may_reconnect:
                        connection.close()
                        reused = None

    return wrapped


def ask(sql: str, values: Mapping[str, Any]) -> Any:
    """The first row of a statement with a time limit.

    Raises what database.errors.is_unavailable() knows when it is over.
    """
    with (
        answered_within(MAX_RESPONSE_TIME),
        statement_timeouts(lock_timeout=round(LOCK_TIMEOUT * 1000)),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, values)
        return cursor.fetchone()


def service_unavailable(cause: str) -> HttpResponse:
    """The 503; its cause is only logged."""
    logger.error("An event was answered with 503: %s", cause)
    return JsonResponse(
        {"detail": "The event cannot be stored now. Send it again."},
        status=503,
        headers={"Retry-After": str(RETRY_AFTER)},
    )
