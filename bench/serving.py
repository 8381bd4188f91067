"""Web servers on loopback, for as long as they are measured."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import psutil

from local.embedded import free_port

START_TIMEOUT = 60  # seconds
GUNICORN = ("gunicorn", "--config=python:replytics.gunicorn")


@contextmanager
def serving(
    *command: str, url: str, headers: Mapping[str, str]
) -> Iterator[tuple[psutil.Process, int]]:
    """A server, as arguments of python -m, and its port, once it answers a request for the url."""
    port = free_port()
    at = f"--bind=127.0.0.1:{port}" if command[0] == "gunicorn" else f"--port={port}"
    server = subprocess.Popen([sys.executable, "-m", *command, at, "--log-level=error"])
    try:
        wait_until_served(server, port, url, headers)
        yield psutil.Process(server.pid), port
    finally:
        server.terminate()
        server.wait()


def wait_until_served(
    server: "subprocess.Popen[bytes]",
    port: int,
    url: str,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    answer = "nothing"
    while server.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT)
        try:
            connection.request("GET", url, headers=dict(headers))
            response = connection.getresponse()
            if response.status == http.HTTPStatus.OK:
                return
            answer = f"{response.status} {response.read(500)!r}"
        except OSError:
            pass  # it does not listen yet
        finally:
            connection.close()
        time.sleep(0.1)
    raise SystemExit(f"{server.args!r} does not serve {url}: it answers {answer}")
