"""Signed callbacks against gunicorn: our intake beside a naive view that only does an INSERT.

    python -m bench.intake [--calls 300] [--clients 1 4 16]

Uses the database of DATABASE_URL (or the embedded one, which must run) and removes what it made.
Both contenders check the same signatures, on the same server processes, in the same run and by
turns. The naive view has no inbox, no order and no protection from duplicates: it inserts a row
for each callback.
"""

import argparse
import itertools
import os
import random
import socket
import subprocess
import sys
import threading
import time
from statistics import quantiles
from typing import NamedTuple

TOKEN = "0" * 32
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
# Plain http on loopback, and a line of INFO a request would be measured too.
ENVIRONMENT = {"HTTPS": "false", "TWILIO_AUTH_TOKEN": TOKEN, "AUDIT_LOG_LEVEL": "WARNING"}
STATUSES = ("initiated", "ringing", "in-progress", "completed")
NUMBER, PHONE_ID = "+19995550100", "pn_bench_intake"
OURS, NAIVE = "/webhooks/twilio/voice/", "/bench/naive/"


class Result(NamedTuple):
    """One contender at one number of clients."""

    seconds: float
    latencies: list[float]

    def row(self) -> str:
        cuts = quantiles(self.latencies, n=100)
        rate = len(self.latencies) / self.seconds
        return f"{rate:8.0f} /s   p50 {cuts[49] * 1000:6.1f} ms   p99 {cuts[98] * 1000:6.1f} ms"


def events(sids: list[str]) -> list[dict[str, str]]:
    made = [
        {
            "AccountSid": "AC" + "0" * 32,
            "ApiVersion": "2010-04-01",
            "CallSid": sid,
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
            "Direction": "inbound",
            "From": "+14155559999",
            "SequenceNumber": str(number),
            "To": NUMBER,
        }
        for sid in sids
        for number, status in enumerate(STATUSES)
    ]
    random.Random(1).shuffle(made)  # noqa: S311
    return made


def send_all(url: str, path: str, to_send: list[dict[str, str]], clients: int) -> Result:
    import requests
    from twilio.request_validator import RequestValidator

    validator = RequestValidator(TOKEN)
    signed = [(event, validator.compute_signature(url + path, event)) for event in to_send]
    latencies: list[float] = []

    def work(share: list[tuple[dict[str, str], str]]) -> None:
        for event, signature in share:
            began = time.perf_counter()
            answer = requests.post(
                url + path, event, headers={"X-Twilio-Signature": signature}, timeout=30
            )
            latencies.append(time.perf_counter() - began)
            answer.raise_for_status()

    threads = [threading.Thread(target=work, args=(signed[n::clients],)) for n in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Result(time.perf_counter() - began, latencies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=300, help="per contender and client count")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    os.environ.update(ENVIRONMENT | {"PUBLIC_URL": url})
    command = [sys.executable, "-m", "gunicorn", "bench.naive_intake:application"]
    command += [f"--workers={options.workers}", f"--bind=127.0.0.1:{port}", "--log-level=error"]
    server = subprocess.Popen(command)
    try:
        measure(url, options.calls, options.clients)
    finally:
        server.terminate()
        server.wait()


def wait_until_live(url: str) -> None:
    import requests

    for _ in range(600):
        try:
            requests.get(f"{url}/health/live", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise SystemExit("gunicorn did not start within a minute; its messages are above")


def measure(url: str, calls: int, client_counts: list[int]) -> None:
    import django

    django.setup()
    from calls.models import Call, CallEvent
    from tenants.models import PhoneNumber
    from tenants.scoping import all_tenants

    with all_tenants("bench"):
        PhoneNumber.objects.filter(pk=PHONE_ID).delete()
        PhoneNumber(id=PHONE_ID, number=NUMBER, business_name="Bench").save(force_insert=True)
    try:
        wait_until_live(url)
        counter = itertools.count(1)
        for path in (OURS, NAIVE):  # both warm: processes, plans, caches
            send_all(url, path, events([f"CAb{next(counter):031x}" for _ in range(20)]), 4)
        for clients in client_counts:
            for name, path in (("ours", OURS), ("naive", NAIVE)):
                sids = [f"CAb{next(counter):031x}" for _ in range(calls)]
                result = send_all(url, path, events(sids), clients)
                rows = "a row a callback"
                if path == OURS:
                    with all_tenants("bench"):
                        ended = Call.objects.filter(call_sid__in=sids, status="completed").count()
                        kept = CallEvent.objects.filter(call_sid__in=sids).count()
                    lost = calls - ended + calls * len(STATUSES) - kept
                    rows = f"{lost} rows lost"
                print(f"{clients:3} clients  {name:6} {result.row()}   {rows}", flush=True)
    finally:
        with all_tenants("bench"):
            PhoneNumber.objects.filter(pk=PHONE_ID).delete()


if __name__ == "__main__":
    main()
