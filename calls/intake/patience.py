"""How long a provider may be kept waiting, and the answer when the database cannot be had."""

import logging
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse

from tenants.unavailable import RETRY_AFTER, UNAVAILABLE

logger = logging.getLogger("replytics.intake")

# In front of a statement, in the same message: holds for that message or the surrounding
# transaction. Milliseconds; with the two of connecting the answer comes within three seconds.
BRIEFLY = """
SELECT set_config('lock_timeout', '700', true), set_config('statement_timeout', '900', true);
"""

View = Callable[[HttpRequest], HttpResponse]


def answer_503_without_database(view: View) -> View:
    """A 503 that the provider retries, instead of a 500 or a long wait that it does not."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except UNAVAILABLE as error:
            # The message may quote a value; the class name of the cause never does.
            return put_off(type(error.__cause__ or error).__name__)

    return wrapped


def put_off(cause: str) -> HttpResponse:
    """The 503; the cause goes to the log alone."""
    logger.error("an event was put off: %s", cause)
    return JsonResponse(
        {"detail": "The event cannot be stored now; send it again."},
        status=503,
        headers={"Retry-After": str(RETRY_AFTER)},
    )
