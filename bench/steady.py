"""Signed callbacks to the product at a steady rate, whatever else the machine does meanwhile."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import requests
from twilio.request_validator import RequestValidator

from bench.intake import OURS, TOKEN, events
from bench.serving import GUNICORN, wait_until_served
from local.embedded import free_port

CLIENTS = 32  # enough that one slow answer delays no other request


@contextmanager
def intake() -> Iterator[str]:
    """The product as it is served, on a free port; yields its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"PUBLIC_URL": url, "TWILIO_AUTH_TOKEN": TOKEN}
    command = [*GUNICORN, f"--bind=127.0.0.1:{port}", "--log-level=error"]
    server = subprocess.Popen([sys.executable, "-m", *command], env=os.environ | settings)
    try:
        wait_until_served(server, port, "/health/ready")
        yield url
    finally:
        server.terminate()
        server.wait()


@contextmanager
def callbacks(url: str, *, per_second: int) -> Iterator[list[float]]:
    """Sends so many a second inside the block; afterwards the list has the seconds of each.

    From the moment a callback was due to its answer, so that waiting counts too. In a process of
    its own, which does not take turns with what is measured here.
    """
    seconds: list[float] = []
    command = [sys.executable, "-m", "bench.steady", url, str(per_second)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        yield seconds
        answers, _ = sender.communicate()
    seconds += json.loads(answers)


def send(url: str, per_second: int) -> list[float]:
    """Until standard input ends. Raises for an unsuccessful answer."""
    validator = RequestValidator(TOKEN)
    stop = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()

    def post(event: dict[str, str], signature: str, due: float) -> float:
        answer = requests.post(
            url + OURS, event, headers={"X-Twilio-Signature": signature}, timeout=30
        )
        answer.raise_for_status()
        return time.perf_counter() - due

    made = (
        event
        for n in itertools.count()
        for event in events([f"CAc{n * 100 + i:031x}" for i in range(100)])
    )
    with ThreadPoolExecutor(CLIENTS) as pool:
        sent = []
        due = time.perf_counter()
        for event in made:
            if stop.is_set():
                break
            signature = validator.compute_signature(url + OURS, event)
            sent.append(pool.submit(post, event, signature, due))
            due += 1 / per_second
            time.sleep(max(0.0, due - time.perf_counter()))
        return [answer.result() for answer in sent]


if __name__ == "__main__":
    json.dump(send(sys.argv[1], int(sys.argv[2])), sys.stdout)
