"""What a flood of one service does to another: a callback's time, and /health/live.

    python -m bench.floods [--calls 20000]

The services behind nginx beside one web server for everything, by turns. A flood goes on for as
long as the quiet clients beside it are measured.
"""

import http.client
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench.alone import run_alone
from bench.connections import set_up_django
from bench.data import PHONE_ID
from bench.database import as_superuser, manage
from bench.intake import OURS, TOKEN, requests_of
from bench.rows import Row
from bench.serving import GUNICORN
from local.embedded import ROOT, free_port
from local.processes import is_ready, services, sockets
from local.supervisor import Supervised, running

PEER = "one web server"
CALLBACKS = 40
CALLBACKS_FOR = 10  # seconds at most
PROBES = 5
PROBE_TIMEOUT = 5  # seconds
HALF_SENT = API_CLIENTS = 24
START_TIMEOUT = 120  # seconds

Flood = Callable[[], None]


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data, which gets an API key."""
    set_up_django(TWILIO_AUTH_TOKEN=TOKEN, API_REQUESTS_PER_KEY="1000000")
    from django.contrib.auth.models import User
    from django.db import connection

    from tenancy import all_tenants
    from tenants.credentials import create_api_key

    manage(connection.settings_dict["NAME"], "collectstatic", "--noinput", "-v0")
    User.objects.create_superuser("bench", password=os.urandom(8).hex())
    with all_tenants("benchmark"):
        _, key = create_api_key(phone_id=PHONE_ID.format(0), name="bench", scopes=["read"])
    found: dict[str, dict[str, float]] = {"ours": {}, "theirs": {}}
    for side, serving in (("theirs", one_web_server), ("ours", apart)):
        with serving() as url:
            found[side] = measure(url, key)
    ours, theirs = found["ours"], found["theirs"]
    for name in ours:
        is_callback = name.startswith("callback")
        quiet = ours["callback, quiet"]
        yield Row(
            work=f"p50 of a {name}" if is_callback else name,
            peer=PEER,
            ours=shown(ours[name]),
            theirs=shown(theirs[name]),
            # Of a flood: how many times the quiet one; of a probe: of half a second.
            ratio=ours[name] / (quiet if is_callback else 0.5),
            target="" if name.endswith("quiet") else "<= 3" if is_callback else "<= 1",
            note="ratio to the quiet one" if is_callback else "slowest of 5; ratio to 500 ms",
        )


def shown(seconds: float) -> str:
    if seconds >= PROBE_TIMEOUT:
        return f"over {PROBE_TIMEOUT} s"
    return f"{seconds * 1e3:.0f} ms"


def measure(url: str, key: str) -> dict[str, float]:
    """Seconds by what was measured."""
    callbacks(url)  # warm
    found = {"callback, quiet": callbacks(url)}
    for clients in (16, 100):
        with flood(clients, lambda: logins(url)):
            found[f"callback, {clients} clients log in"] = callbacks(url)
            found[f"/health/live, {clients} clients log in"] = probe(url)
    with half_sent(url):
        found["callback, 24 half-sent requests"] = callbacks(url)
        found["/health/live, 24 half-sent requests"] = probe(url)
    with locked_calls(), flood(API_CLIENTS, lambda: reads(url, key)):
        found["/health/live, 24 clients of the API behind a lock"] = probe(url)
    return found


def callbacks(url: str) -> float:
    """The median of callbacks one after the other; one that is under way at the end counts."""
    port = urlsplit(url).port or 0
    sids = [f"CA{os.urandom(16).hex()}" for _ in range(CALLBACKS // 4)]
    seconds = []
    ends = time.monotonic() + CALLBACKS_FOR
    for request in requests_of(url, OURS, sids):
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(max(PROBE_TIMEOUT, ends - time.monotonic()))
            connection.sendall(request)
            try:
                answer = b"".join(iter(lambda: connection.recv(4096), b""))
            except TimeoutError:
                answer = b"HTTP/1.1 204"
        seconds.append(time.perf_counter() - began)
        if not answer.startswith(b"HTTP/1.1 204"):
            raise SystemExit(f"a callback was refused: {answer!r}")
        if time.monotonic() > ends:
            break
    return statistics.median(seconds)


def probe(url: str) -> float:
    """The slowest of some probes, of which the first that takes too long is the last."""
    slowest = 0.0
    for _ in range(PROBES):
        if slowest >= PROBE_TIMEOUT:
            break
        began = time.perf_counter()
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PROBE_TIMEOUT)
        try:
            connection.request("GET", "/health/live")
            connection.getresponse().read()
        except TimeoutError:
            pass
        finally:
            connection.close()
        slowest = max(slowest, time.perf_counter() - began)
    return slowest


@contextmanager
def flood(clients: int, send: Flood) -> Iterator[None]:
    """So many clients, each sending again as soon as it is answered. It has begun when we look."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            try:
                send()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    time.sleep(3)
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(120)


def logins(url: str) -> None:
    """One attempt with a wrong password, which costs as much as one with the right one."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    try:
        token = "t" * 32
        form = {"username": "bench", "password": "wrong", "csrfmiddlewaretoken": token}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"csrftoken={token}",
        }
        connection.request("POST", "/admin/login/", urlencode(form), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status not in {200, 429, 503}:
            raise SystemExit(f"a login was answered with {answer.status}")
        if answer.status in {429, 503}:
            time.sleep(0.05)
    finally:
        connection.close()


def reads(url: str, key: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    try:
        connection.request("GET", "/api/v1/calls/", headers={"Authorization": f"Api-Key {key}"})
        connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def half_sent(url: str) -> Iterator[None]:
    """Requests whose end does not come: half of them stop in the headers, half in the body."""
    head = b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    body = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nhalf"
    with ExitStack() as opened:
        for number in range(HALF_SENT):
            connection = opened.enter_context(
                socket.create_connection(("127.0.0.1", urlsplit(url).port or 0))
            )
            connection.sendall(head + body if number % 2 else head)
        time.sleep(1)
        yield


@contextmanager
def locked_calls() -> Iterator[None]:
    with as_superuser() as connection, connection.transaction():
        connection.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def apart() -> Iterator[str]:
    """The services behind nginx, as `make run` starts them."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    os.environ["PUBLIC_URL"] = url
    with tempfile.TemporaryDirectory(prefix="replytics-") as name:
        folder = Path(name)
        with running(services(folder, port=port, static=ROOT / ".static")):
            _wait_until_ready([*sockets(folder), f"127.0.0.1:{port}"])
            yield url


@contextmanager
def one_web_server() -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    os.environ["PUBLIC_URL"] = url
    command = [sys.executable, "-m", *GUNICORN, f"--bind=127.0.0.1:{port}", "--log-level=error"]
    with running([Supervised("web server", command, {"SERVICE": "all"})]):
        _wait_until_ready([f"127.0.0.1:{port}"])
        yield url


def _wait_until_ready(addresses: list[str]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    for address in addresses:
        while not is_ready(address, "localhost"):
            if time.monotonic() > deadline:
                raise SystemExit(f"{address} is not ready")
            time.sleep(0.1)


if __name__ == "__main__":
    run_alone("floods", rows, __doc__)
