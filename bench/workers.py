"""What a worker of gunicorn costs and gives, and where the time of one list request goes.

    python -m bench.workers [--calls 50000]

The configuration of `make run`, which has two workers of four threads, beside others; each is
asked by turns for the latest 20 calls of the middle line, over 8 connections. On a machine of two
cores the clients and PostgreSQL want theirs too. Memory is what a worker alone would free (USS).
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from bench.alone import run_alone
from bench.connections import set_up_django
from bench.load import requests_per_second
from bench.rows import Row, in_milliseconds
from bench.serving import GUNICORN, serving
from bench.timing import by_turns, median_ratio

LINE = "pn_250"
URL = "/api/v1/calls/"
ROUNDS, SECONDS = 5, 0.8
# Name, and what is otherwise than the default, which is two workers of four threads.
OURS = "2 workers"
SERVERS: dict[str, list[str]] = {
    OURS: [],
    "1 worker": ["--workers=1"],
    "2 workers of 1 thread": ["--threads=1"],
}


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database, which gets an API key."""
    # One caller asks as fast as it can.
    set_up_django(API_REQUESTS_PER_KEY="1000000", API_REQUESTS_PER_LINE="1000000")
    from tenancy import all_tenants
    from tenants.credentials import create_api_key

    with all_tenants("benchmark"):
        _, key = create_api_key(phone_id=LINE, name="bench", scopes=["read"])
    headers = {"Authorization": f"Api-Key {key}"}
    yield from take_apart(key, headers)
    yield from serve(headers)


def serve(headers: dict[str, str]) -> Iterator[Row]:
    rates: dict[str, list[float]] = {name: [] for name in SERVERS}
    memory: list[float] = []
    with ExitStack() as started:
        ports = {}
        for name, options in SERVERS.items():
            process, ports[name] = started.enter_context(
                serving(*GUNICORN, *options, url=URL, headers=headers)
            )
            memory += [child.memory_full_info().uss / 2**20 for child in process.children()]
        for turn in range(ROUNDS + 1):
            for name, port in ports.items():
                rate = requests_per_second(port, URL, headers=headers, seconds=SECONDS)
                if turn:  # the first one warms up
                    rates[name].append(rate)
    for name in list(SERVERS)[1:]:
        yield Row(
            work=f"requests of {OURS} of 4 threads",
            peer=name,
            ours=f"{statistics.median(rates[OURS]):.0f}/s",
            theirs=f"{statistics.median(rates[name]):.0f}/s",
            ratio=median_ratio(rates[OURS], rates[name]),
        )
    yield Row(work="memory of a worker", peer="", ours=f"{statistics.median(memory):.0f} MB")


def take_apart(key: str, headers: dict[str, str]) -> Iterator[Row]:
    """One request in process, and its parts one by one."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import RequestFactory

    from calls.api.page import ListQuery, page_sql, read_page
    from calls.models import Call
    from tenancy import current_scope, tenant
    from tenants.api.authentication import ApiKeyAuthentication

    handler: Any = WSGIHandler()
    factory = RequestFactory(headers=headers, SERVER_NAME="localhost")

    def ask() -> None:
        response = handler.get_response(factory.get(URL))
        assert response.status_code == 200, response.content[:500]

    def authenticate() -> None:
        ApiKeyAuthentication().find_client(key, wanted=None)

    def enter() -> None:
        with tenant(LINE):
            current_scope()

    parts: dict[str, Callable[[], object]] = {
        "one list request in process": ask,
        "authentication: key, line and throttle": authenticate,
        "entering the scope": enter,
    }
    taken = by_turns(parts, rounds=200)
    with tenant(LINE):
        bare = Call.objects.order_by("-created_at", "-id")[:20]
        taken |= by_turns(
            {
                "SQL: reading and rendering 20 calls as JSON": lambda: read_page(
                    ListQuery(), {}, limit=20
                ),
                "SQL: reading 20 calls into objects instead": lambda: list(bare.all()),
                "writing the statement, which is kept": lambda: page_sql(ListQuery()),
            },
            rounds=200,
        )
    whole = statistics.median(taken["one list request in process"])
    for work, seconds in taken.items():
        share = f"{statistics.median(seconds) / whole:.0%} of the request"
        yield Row(work=work, peer="", ours=in_milliseconds(seconds), note=share)


if __name__ == "__main__":
    run_alone("workers", rows, __doc__)
