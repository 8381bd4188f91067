"""Requests, their errors and durations, counted over all processes of the web server.

The processes share a folder, PROMETHEUS_MULTIPROC_DIR, which replytics/gunicorn.py makes. Without
it each process counts for itself.
"""

import fcntl
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import IO

from django.http import HttpRequest, HttpResponse
from prometheus_client import Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from database.statement_context import statement_context

# Others of a client's invention would be a label of their own each.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
LOCK_TIMEOUT = 5_000  # milliseconds
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Place:
    """A number that no other living process has: it names the files in the shared folder.

    The number of a process that ended is taken again, so that replacing workers does not leave
    ever more files behind. The kernel gives the lock back however a process ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = 0
        self._number = 0
        self._lock: IO[bytes] | None = None

    def __call__(self) -> int:
        if self._process != os.getpid():  # the first call, or a fork
            self._process = os.getpid()
            self._number, self._lock = self._take()
        return self._number

    def _take(self) -> tuple[int, IO[bytes]]:
        for number in count():
            file = (self._folder / f"{number}.lock").open("wb")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            return number, file
        raise AssertionError


if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    values.ValueClass = values.MultiProcessValue(Place(Path(folder)))  # type: ignore[no-untyped-call]

duration = Histogram(
    "http_server_request_duration_seconds",
    "From a request's arrival until its answer begins, by the pattern of its address.",
    ["route", "method", "status"],
    buckets=SECONDS,
    registry=None,
)


def counted() -> Collector:
    """What all processes have counted since the web server started."""
    if not folder:
        return duration
    together: Collector = MultiProcessCollector(None, path=folder)  # type: ignore[no-untyped-call]
    return together


class MeasureMiddleware:
    """Stands before whatever may answer; pages without a view, such as static files, are "other".

    The statements of a request carry its method and pattern, and do not wait for locks for ever.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        method = request.method if request.method in METHODS else "other"
        # The address is looked up somewhere on the way to the view.
        with statement_context(lambda: f"{method} {_route(request)}", lock_timeout=LOCK_TIMEOUT):
            response = self.get_response(request)
        duration.labels(
            route=_route(request), method=method, status=f"{response.status_code // 100}xx"
        ).observe(perf_counter() - began)
        return response


def _route(request: HttpRequest) -> str:
    return f"/{request.resolver_match.route}" if request.resolver_match else "other"
