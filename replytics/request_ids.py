"""One id for each request, in its answer and in every line that it logs."""

import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-Id"
META = "HTTP_X_REQUEST_ID"
# What a proxy in front of us may have given it.
GIVEN = re.compile(r"[0-9A-Za-z_.-]{8,128}")

_current: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdMiddleware:
    """Stands first, so that whatever happens has the id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get(META, "")
        request_id = given if GIVEN.fullmatch(given) else secrets.token_hex(16)
        request.META[META] = request_id  # what every part below reads
        token = _current.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response[HEADER] = request_id
        return response


class AddRequestId(logging.Filter):
    """Gives each record `request_id`, a dash outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _current.get()
        return True
