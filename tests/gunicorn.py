"""The real web server on the test database, for tests about processes."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from django.db import connection

from local.embedded import ROOT, free_port

AS_IN_PRODUCTION = ("-c", "python:replytics.gunicorn")


@dataclass(frozen=True)
class Server:
    url: str
    master: psutil.Process

    def workers(self) -> list[psutil.Process]:
        return self.master.children()


@contextmanager
def gunicorn(*arguments: str, workers: int = 2, **environment: str) -> Iterator[Server]:
    """PUBLIC_URL is the address it listens on; the log is thrown away."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    at = connection.settings_dict
    database = f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    settings = {"DATABASE_URL": database, "PUBLIC_URL": url, "CONN_MAX_AGE": "60"} | environment
    command = [sys.executable, "-m", "gunicorn", "replytics.wsgi", f"--workers={workers}"]
    process = subprocess.Popen(
        [*command, f"--bind=127.0.0.1:{port}", "--log-level=critical", *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_live(url)
        yield Server(url, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _wait_until_live(url: str) -> None:
    for _ in range(1200):
        try:
            with urllib.request.urlopen(f"{url}/health/live"):  # noqa: S310
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("gunicorn did not start")
