"""The real worker on the test database."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.db import connection

from local.embedded import ROOT

MAX_LENGTH = 240  # seconds


def _worker(*arguments: str) -> dict[str, Any]:
    name = connection.settings_dict["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    return {
        "args": [sys.executable, "manage.py", "procrastinate", "worker", *arguments],
        "cwd": ROOT,
        "env": os.environ | {"DATABASE_URL": url},
    }


def work() -> None:
    """Run a real worker until its queue is empty."""
    subprocess.run(**_worker("--one-shot"), check=True, capture_output=True, timeout=MAX_LENGTH)


def work_until(is_done: Callable[[], bool]) -> None:
    """Run a real worker, with its schedule, and stop it as an operator would."""
    with subprocess.Popen(**_worker(), stderr=subprocess.DEVNULL) as worker:
        try:
            until = time.monotonic() + MAX_LENGTH
            while not is_done():
                assert time.monotonic() < until, "the worker did not do it in time"
                time.sleep(0.2)
        finally:
            worker.terminate()
            worker.wait(MAX_LENGTH)
