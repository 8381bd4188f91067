"""GET calls/, the latest 20 of the biggest line, beside three peers over HTTP on loopback.

    pip install -r requirements-bench.txt
    python -m bench.api [--calls 50000]

One worker each, 8 connections, by turns. The peers have the same key look-up, throttle, policies
and page. What a request costs in processor time, of the server and of PostgreSQL, is in the notes:
a busy machine moves it less than it moves a rate.
"""

import os
import statistics
from collections.abc import Iterator
from contextlib import ExitStack

import psutil

from bench.alone import run_alone
from bench.connections import set_up_django
from bench.database import CLUSTER
from bench.load import requests_per_second
from bench.rows import Row
from bench.serving import GUNICORN, serving
from bench.timing import median_ratio

LINE = "pn_0"
ROUNDS, SECONDS = 7, 0.8
OURS = "Replytics"
FAST = ("uvicorn", "bench.peers.fast:app", "--loop=uvloop", "--http=httptools")
# Command, path and target.
SERVERS = {
    OURS: ((*GUNICORN, "bench.api_service"), "/api/v1/calls/", ""),
    "Django REST framework": ((*GUNICORN, "bench.peers.stock"), "/calls/", ">= 4"),
    "FastAPI, asyncpg, orjson": (FAST, "/calls/", ">= 0.64"),
    "django-ninja": ((*GUNICORN, "bench.peers.ninja"), "/calls/", ">= 2"),
}


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data, which gets an API key."""
    set_up_django(
        WEB_CONCURRENCY="1",
        # One caller asks as fast as it can.
        API_REQUESTS_PER_KEY="1000000",
        API_REQUESTS_PER_LINE="1000000",
    )
    from django.conf import settings

    from tenancy import all_tenants
    from tenants.credentials import create_api_key

    os.environ["SECRET_KEY"] = settings.SECRET_KEY  # FastAPI's server reads it by itself
    with all_tenants("benchmark"):
        _, key = create_api_key(phone_id=LINE, name="bench", scopes=["read"])
    headers = {"Authorization": f"Api-Key {key}"}
    rates: dict[str, list[float]] = {name: [] for name in SERVERS}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in SERVERS}
    database = psutil.Process(int((CLUSTER.data / "postmaster.pid").read_text().split()[0]))
    with ExitStack() as started:
        servers = {
            name: started.enter_context(serving(*command, url=url, headers=headers))
            for name, (command, url, _) in SERVERS.items()
        }
        for turn in range(ROUNDS + 1):
            for name, (process, port) in servers.items():
                begun = cpu_seconds(process), cpu_seconds(database)
                url = SERVERS[name][1]
                rate = requests_per_second(port, url, headers=headers, seconds=SECONDS)
                if turn:  # the first one warms up
                    answered = rate * SECONDS
                    used = cpu_seconds(process) - begun[0], cpu_seconds(database) - begun[1]
                    rates[name].append(rate)
                    spent[name].append((used[0] / answered, used[1] / answered))
    for name, (_, _, target) in SERVERS.items():
        if name != OURS:
            yield Row(
                work="GET calls/, latest 20",
                peer=name,
                ours=f"{statistics.median(rates[OURS]):.0f}/s",
                theirs=f"{statistics.median(rates[name]):.0f}/s",
                ratio=median_ratio(rates[OURS], rates[name]),
                target=target,
                note=f"{shown(spent[OURS])}; {name} {shown(spent[name])}",
            )


def cpu_seconds(process: psutil.Process) -> float:
    family = [process, *process.children()]
    return float(sum(sum(one.cpu_times()[:2]) for one in family))


def shown(spent: list[tuple[float, float]]) -> str:
    server, database = (statistics.median(side) * 1e3 for side in zip(*spent, strict=True))
    return f"{server:.2f} ms of CPU a request and {database:.2f} of PostgreSQL's"


if __name__ == "__main__":
    run_alone("api", rows, __doc__)
