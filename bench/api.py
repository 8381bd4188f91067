"""GET calls/ (20 rows, some 15 kB) beside three peers, over HTTP on loopback, one worker each.

    pip install -r requirements-bench.txt
    python -m bench.api

Makes a line of its own with --calls calls in the main database (start the embedded server first),
starts the four servers, asks them in turn, and removes the line. The ratio is the median of those
of neighbouring rounds, which a machine that is busy meanwhile does not move. Then: where the time
of one request goes, and the first page against a deep one, both in process.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import django
import psutil
from rich.console import Console
from rich.table import Table

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
os.environ |= {
    "AUDIT_LOG_LEVEL": "WARNING",
    "HTTPS": "false",
    "WEB_CONCURRENCY": "1",
    # One caller asks as fast as it can.
    "API_REQUESTS_PER_KEY": "1000000",
    "API_REQUESTS_PER_LINE": "1000000",
}
django.setup()

from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from bench.load import requests_per_second  # noqa: E402
from calls.api.page import Shape, read_page  # noqa: E402
from calls.models import Call  # noqa: E402
from replytics.embedded import MAIN, SERVING_LOGIN, free_port  # noqa: E402
from tenants.api.authentication import find_client  # noqa: E402
from tenants.credentials import create_api_key  # noqa: E402
from tenants.models import PhoneNumber  # noqa: E402
from tenants.scoping import all_tenants, tenant  # noqa: E402

LINE = "pn_bench_api"
FILL = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, duration, transcript, ai_summary,
    created_at)
SELECT %(line)s, '+1415555' || lpad((n %% 10000)::text, 4, '0'), 'bench-api-' || n, 'completed',
    n %% 600, repeat('Caller: Do you have rye bread? ', 11), 'Asked for bread.',
    now() - n * interval '1 minute'
FROM generate_series(1, %(calls)s) AS n
"""
# The one worker is not replaced in the middle of a round.
GUNICORN = ["gunicorn", "--config=python:replytics.gunicorn", "--max-requests=0"]
# Name, command, path and the least ratio wanted.
SERVERS = {
    "Replytics": (GUNICORN, "/api/v1/calls/", None),
    "Django REST framework": ([*GUNICORN, "bench.peers.stock"], "/calls/", 4.0),
    "FastAPI, asyncpg, orjson": (
        ["uvicorn", "bench.peers.fast:app", "--loop=uvloop", "--http=httptools"],
        "/calls/",
        1.0,
    ),
    "django-ninja": ([*GUNICORN, "bench.peers.ninja"], "/calls/", 2.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.api",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.5, help="per round and server")
    parser.add_argument("--connections", type=int, default=8)
    arguments = parser.parse_args()
    if not MAIN.is_running():
        sys.exit("Start the embedded server first: python -m replytics.embedded start")
    settings.ALLOWED_HOSTS = ["testserver"]
    with all_tenants("benchmark"):
        PhoneNumber.objects.filter(pk=LINE).delete()
        PhoneNumber.objects.create(id=LINE, number="+14155550177", business_name="Bench")
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"line": LINE, "calls": arguments.calls})
        _, key = create_api_key(phone_id=LINE, name="bench", scopes=["read"])
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE calls")
    headers = {"Authorization": f"Api-Key {key}"}
    try:
        compare(headers, arguments.rounds, arguments.seconds, arguments.connections)
        measure_parts(key, headers)
        measure_depth(arguments.calls)
    finally:
        with all_tenants("benchmark"):
            PhoneNumber.objects.filter(pk=LINE).delete()


def compare(headers: Mapping[str, str], rounds: int, seconds: float, connections: int) -> None:
    rates: dict[str, list[float]] = {name: [] for name in SERVERS}
    # Seconds of CPU a request, of the server and of PostgreSQL on its behalf.
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in SERVERS}
    database = psutil.Process(int((MAIN.data / "postmaster.pid").read_text().split()[0]))
    with ExitStack() as started:
        servers = {
            name: started.enter_context(running(command))
            for name, (command, _, _) in SERVERS.items()
        }
        for turn in range(rounds + 1):
            for name, (process, port) in servers.items():
                begun = cpu_seconds(process), cpu_seconds(database)
                rate = requests_per_second(
                    port,
                    SERVERS[name][1],
                    headers=headers,
                    seconds=seconds,
                    connections=connections,
                )
                if turn:  # the first one warms up
                    rates[name].append(rate)
                    answered = rate * seconds
                    spent[name].append(
                        (
                            (cpu_seconds(process) - begun[0]) / answered,
                            (cpu_seconds(database) - begun[1]) / answered,
                        )
                    )
    table = Table(title=f"GET calls/, one worker, {connections} connections, {rounds} rounds")
    for heading in ("server", "requests/s", "CPU, ms", "PostgreSQL's", "Replytics is", "target"):
        table.add_column(heading, justify="left" if heading == "server" else "right")
    for name, (_, _, target) in SERVERS.items():
        ratio = statistics.median(
            ours / theirs for ours, theirs in zip(rates["Replytics"], rates[name], strict=True)
        )
        table.add_row(
            name,
            f"{statistics.median(rates[name]):.0f}",
            *(f"{statistics.median(side) * 1e3:.2f}" for side in zip(*spent[name], strict=True)),
            f"{ratio:.2f} times" if target else "",
            f">= {target}" if target else "",
        )
    Console(width=100).print(table)


@contextmanager
def running(command: list[str]) -> Iterator[tuple[psutil.Process, int]]:
    """A server on a free port, once it listens."""
    port = free_port()
    at = [f"--bind=127.0.0.1:{port}"] if "gunicorn" in command else [f"--port={port}"]
    quiet = ["--log-level=error"]
    process = psutil.Popen(
        [sys.executable, "-m", *command, *at, *quiet],
        env=os.environ
        | {"DATABASE_URL": MAIN.url(SERVING_LOGIN) or "", "SECRET_KEY": settings.SECRET_KEY},
    )
    try:
        while not any(
            found.laddr.port == port for found in process.net_connections() if found.laddr
        ):
            if process.poll() is not None:
                sys.exit(f"{' '.join(command)} ended; see above")
            time.sleep(0.2)
        time.sleep(2)  # gunicorn listens before its worker has loaded anything
        yield process, port
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def cpu_seconds(process: psutil.Process) -> float:
    family = [process, *process.children()]
    return sum(sum(one.cpu_times()[:2]) for one in family)


def measure_parts(key: str, headers: Mapping[str, str]) -> None:
    """Where the time of one request goes, without HTTP."""
    handler, factory = WSGIHandler(), RequestFactory(headers=headers)

    def ask() -> None:
        response: Any = handler.get_response(factory.get("/api/v1/calls/"))
        assert response.status_code == 200, response.content[:500]

    prefix, _, secret = key.partition(".")
    with tenant(LINE):
        page_ms = median_ms(lambda: read_page(Shape(), {}, limit=20))
    key_ms = median_ms(lambda: find_client(prefix=prefix, secret=secret))
    print(
        f"one request in process {median_ms(ask):.2f} ms, in one message to PostgreSQL; asked one"
        f" by one the key, line and throttle take {key_ms:.2f}, scope, rows and JSON {page_ms:.2f}"
    )


def measure_depth(calls: int) -> None:
    """Page 1 against the deepest page, at most the 10,000th: the statement alone."""
    with tenant(LINE):
        number = min(10_000, calls // 20 - 1)
        rows: Any = Call.objects.order_by("-created_at", "-id").values_list("created_at", "id")
        at, after_id = rows[number * 20 - 1]
        deep = {"at": at.isoformat(), "after_id": str(after_id)}
        ratios = []
        for _ in range(300):
            one, other = (
                taken_ms(lambda of=of: read_page(*of, limit=20))  # type: ignore[misc]
                for of in ((Shape(), {}), (Shape(after_cursor=True), deep))
            )
            ratios.append((one, other))
        first, last = (statistics.median(side) for side in zip(*ratios, strict=True))
        ratio = statistics.median(other / one for one, other in ratios)
        print(f"page 1 {first:.2f} ms, page {number} {last:.2f} ms: {ratio:.2f}")


def median_ms(act: Callable[[], object], times: int = 500) -> float:
    return statistics.median(taken_ms(act) for _ in range(times))


def taken_ms(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1e3


if __name__ == "__main__":
    main()
