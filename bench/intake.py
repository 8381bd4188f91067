"""Signed callbacks against gunicorn: our intake beside a naive view that only does an INSERT.

    python -m bench.intake [--callbacks-for 300] [--clients 1 4 16]

Both contenders check the same signatures, on the same server processes with the configuration of
`make run`, by turns, while calls are archived and the summary is refreshed beside them. The naive
view has no inbox, no order and no protection from duplicates: it inserts a row for each callback.
"""

import argparse
import itertools
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlencode

from bench.data import fill
from bench.database import environment, running_cluster, scratch_database
from bench.rows import Row, percentile, print_rows
from local.embedded import free_port

TOKEN = "0" * 32
STATUSES = ("initiated", "ringing", "in-progress", "completed")
LINES = 20  # that are called at once
OURS, NAIVE = "/webhooks/twilio/voice/", "/bench/naive/"
ROUNDS = 12
UPKEEP = """
from itertools import count
from django.utils import timezone
from analytics.summary import refresh_summary
from calls.archival import cutoff, moving
from tenancy import all_tenants
for _ in count():
    now = timezone.now()
    moving.archive_calls(
        cut_off=cutoff.older_than("1 year", now=now), limit=1000, started_by="bench"
    )
    with all_tenants("bench"):
        refresh_summary()
"""


class Slice(NamedTuple):
    """One turn of a contender."""

    rate: float  # callbacks a second
    latencies: list[float]


def rows(
    calls: int, *, callbacks_for: int = 300, client_counts: Sequence[int] = (1, 4, 16)
) -> Iterator[Row]:
    """On the database of the environment, which has so many calls of bench.data.

    callbacks_for: the calls that each contender is told of with each number of clients.
    """
    import django

    os.environ["TWILIO_AUTH_TOKEN"] = TOKEN
    django.setup()
    with serving() as url, upkeep():
        sids = (f"CAb{number:031x}" for number in itertools.count())
        for path in (OURS, NAIVE):  # both warm: processes, plans, caches
            send(url, path, list(itertools.islice(sids, 40)), clients=4)
        for clients in client_counts:
            slices: dict[str, list[Slice]] = {OURS: [], NAIVE: []}
            sent: list[str] = []
            for turn in range(ROUNDS):
                for path in (OURS, NAIVE) if turn % 2 else (NAIVE, OURS):
                    batch = list(itertools.islice(sids, max(callbacks_for // ROUNDS, clients)))
                    slices[path].append(send(url, path, batch, clients=clients))
                    sent += batch if path == OURS else []
            ratios = [a.rate / b.rate for a, b in zip(slices[OURS], slices[NAIVE], strict=True)]
            yield Row(
                work=f"signed callbacks, {clients} clients",
                peer="naive INSERT view",
                ours=shown(slices[OURS]),
                theirs=shown(slices[NAIVE]),
                ratio=statistics.median(ratios),
                target=">= 1.0",
                note=f"{lost(sent)} of {len(sent) * len(STATUSES)} acknowledged callbacks lost",
            )


def shown(slices: list[Slice]) -> str:
    rate = statistics.median(turn.rate for turn in slices)
    latencies = [seconds * 1e3 for turn in slices for seconds in turn.latencies]
    middle, last = statistics.median(latencies), percentile(latencies, 0.99)
    return f"{rate:.0f}/s (p50 {middle:.1f}, p99 {last:.1f} ms)"


def lost(sids: list[str]) -> int:
    """Acknowledged callbacks whose event or whose call is not there."""
    from calls.models import Call, CallEvent
    from tenancy import all_tenants

    with all_tenants("bench"):
        ended: int = Call.objects.filter(call_sid__in=sids, status="completed").count()
        kept: int = CallEvent.objects.filter(call_sid__in=sids).count()
    return len(sids) - ended + len(sids) * len(STATUSES) - kept


def events(sids: list[str]) -> Iterator[dict[str, str]]:
    """The callbacks of some calls, in order."""
    for (place, sid), (number, status) in itertools.product(enumerate(sids), enumerate(STATUSES)):
        yield {
            "AccountSid": "AC" + "0" * 32,
            "ApiVersion": "2010-04-01",
            "CallSid": sid,
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
            "Direction": "inbound",
            "From": f"+1415999{place % 10_000:04}",
            "SequenceNumber": str(number),
            "To": f"+1415{5_550_000 + place % LINES}",
        }


def requests_of(url: str, path: str, sids: list[str]) -> list[bytes]:
    """The callbacks of some calls, shuffled and signed, as they go through the socket."""
    from twilio.request_validator import RequestValidator

    validator = RequestValidator(TOKEN)
    made = []
    for event in events(sids):
        body = urlencode(event)
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: {url.removeprefix('http://')}",
            "Connection: close",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            f"X-Twilio-Signature: {validator.compute_signature(url + path, event)}",
        ]
        made.append("\r\n".join([*lines, "", body]).encode())
    random.Random(1).shuffle(made)  # noqa: S311
    return made


def send(url: str, path: str, sids: list[str], *, clients: int) -> Slice:
    """A connection for each callback, as it comes from a proxy."""
    port = int(url.rpartition(":")[2])
    to_send = requests_of(url, path, sids)
    latencies: list[float] = []
    refused: list[bytes] = []

    def work(share: list[bytes]) -> None:
        for request in share:
            began = time.perf_counter()
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request)
                answer = b"".join(iter(lambda: connection.recv(4096), b""))
            latencies.append(time.perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 204"):
                refused.append(answer)

    threads = [threading.Thread(target=work, args=(to_send[n::clients],)) for n in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if refused or len(latencies) != len(to_send):
        raise SystemExit(f"a callback was refused: {refused[:1]}")
    return Slice(len(latencies) / (time.perf_counter() - began), latencies)


@contextmanager
def serving() -> Iterator[str]:
    """gunicorn as `make run` starts it, with the naive view beside the product."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "-c", "python:replytics.gunicorn"]
    command += [f"--bind=127.0.0.1:{port}", "--log-level=error", "bench.naive_intake:application"]
    server = subprocess.Popen(command, env=os.environ | {"PUBLIC_URL": url})
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


@contextmanager
def upkeep() -> Iterator[None]:
    """Batches of the archiver and refreshes of the summary, without a pause between them."""
    program = f"import django\ndjango.setup()\n{UPKEEP}"
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        yield
        if process.poll() is not None:
            raise SystemExit("the archiver ended early; see its message above")
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__)
    parser.add_argument("--calls", type=int, default=50_000, help="in the database")
    parser.add_argument(
        "--callbacks-for", type=int, default=300, help="calls per contender and client count"
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    options = parser.parse_args()
    with running_cluster(), scratch_database("bench_intake") as database:
        fill(database, options.calls)
        os.environ |= environment(database)
        print_rows(
            rows(
                options.calls,
                callbacks_for=options.callbacks_for,
                client_counts=options.clients,
            )
        )


if __name__ == "__main__":
    main()
