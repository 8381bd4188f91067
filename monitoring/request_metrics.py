"""Requests, their errors and durations, counted over all processes of the web server.

The processes share a folder, PROMETHEUS_MULTIPROC_DIR, which replytics/gunicorn.py makes: it is
prometheus_client's own way. Without it each process counts for itself.
"""

import os
from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse
from prometheus_client import Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from database.statement_context import statement_context

# Any other method would add a label value of the client's choosing.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Milliseconds. A request waits longer for a lock than migrate does (LOCK_TIMEOUT in
# database/safe_migrations/lock_retry.py), and is answered within two seconds when it gets none.
LOCK_TIMEOUT = 1_700
# For people, who may delete a line with all its calls; the API has a shorter one (api/views.py).
STATEMENT_TIMEOUT = 60_000
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


duration = Histogram(
    "http_server_request_duration_seconds",
    "From a request's arrival until its answer begins, by the pattern of its address.",
    ["route", "method", "status"],
    buckets=SECONDS,
    registry=None,
)


def request_collector() -> Collector:
    """What all processes have counted since the web server started."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return duration
    together: Collector = MultiProcessCollector(None, path=folder)  # type: ignore[no-untyped-call]
    return together


class MeasureMiddleware:
    """The outermost middleware; answers without a view, such as static files, count as "other".

    The statements of a request carry its method and pattern, and its timeouts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        method = request.method if request.method in METHODS else "other"
        # The route is known only once the URL is resolved, on the way to the view.
        with statement_context(
            lambda: f"{method} {_route(request)}",
            lock_timeout=LOCK_TIMEOUT,
            statement_timeout=STATEMENT_TIMEOUT,
        ):
            response = self.get_response(request)
        duration.labels(
            route=_route(request), method=method, status=f"{response.status_code // 100}xx"
        ).observe(perf_counter() - began)
        return response


def _route(request: HttpRequest) -> str:
    return f"/{request.resolver_match.route}" if request.resolver_match else "other"
