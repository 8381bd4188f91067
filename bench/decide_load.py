"""POST decide/ at a steady 100 requests a second, over HTTP on loopback.

    python -m bench.decide_load [--calls 200000]

The biggest line has the hours and the 20 rules of bench.decide. Callers are those of its calls and
as many that never called. Each time counts from the moment the request was due to its answer, so
waiting counts too. Without `call_sid`, with one (three questions a call, each kept), and the same
beside other load: 20 callbacks a second, and a client that pages the list of calls without pause.
No other product does this, so it is measured against the contract: 20 ms at the 99th percentile.
"""

import http.client
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
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import psutil

from bench.alone import run_alone
from bench.api import cpu_seconds, shown
from bench.connections import set_up_django
from bench.data import PHONE_ID
from bench.database import CLUSTER
from bench.decide import document
from bench.intake import TOKEN
from bench.machine import load
from bench.rows import Row, in_milliseconds, percentile
from bench.serving import GUNICORN, serving
from bench.steady import callbacks, intake

LINE = PHONE_ID.format(0)
PER_SECOND, SECONDS, WARM_UP = 100, 20, 3
CLIENTS = 16
MAX_P99 = 0.020  # seconds
CALLBACKS_PER_SECOND = 20
PATH, LIST = "/api/v1/decide/", "/api/v1/calls/"
CALLERS = "SELECT DISTINCT caller_number FROM calls WHERE phone_id = %s LIMIT 1000"


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data, which gets an API key and settings."""
    set_up_django(
        SERVICE="all",
        TWILIO_AUTH_TOKEN=TOKEN,
        API_REQUESTS_PER_KEY="1000000",
        API_REQUESTS_PER_LINE="1000000",
    )
    from django.db import connection

    from tenancy import all_tenants, tenant
    from tenants.credentials import create_api_key
    from tenants.models import PhoneNumber
    from tests.decisions.storing import store_settings

    with all_tenants("benchmark"):
        _, key = create_api_key(phone_id=LINE, name="bench", scopes=["read", "ingest"])
        line = PhoneNumber.objects.get(pk=LINE)
    store_settings(line, document())
    with tenant(LINE), connection.cursor() as cursor:
        cursor.execute(CALLERS, [LINE])
        callers = [caller for (caller,) in cursor.fetchall()]
    headers = {"Authorization": f"Api-Key {key}"}
    os.environ["SERVICE"] = "api"
    database = psutil.Process(int((CLUSTER.data / "postmaster.pid").read_text().split()[0]))
    with serving(*GUNICORN, url=LIST, headers=headers) as (server, port):
        os.environ["SERVICE"] = "all"
        asked = {"port": port, "key": key, "callers": callers}
        for with_sid in (False, True):
            begun = cpu_seconds(server), cpu_seconds(database)
            row = measured({**asked, "with_sid": with_sid})
            requests = PER_SECOND * (WARM_UP + SECONDS)
            spent = (
                (cpu_seconds(server) - begun[0]) / requests,
                (cpu_seconds(database) - begun[1]) / requests,
            )
            yield replace(row, note=f"{shown([spent])}; {row.note}")
        with intake() as url, callbacks(url, per_second=CALLBACKS_PER_SECOND), reads(port, key):
            yield measured({**asked, "with_sid": True}, beside=", beside other load")


def measured(asked: dict[str, Any], *, beside: str = "") -> Row:
    """In a process of its own, which does not take turns with other clients."""
    sent = subprocess.run(
        [sys.executable, "-m", "bench.decide_load", "send"],
        input=json.dumps(asked).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds = json.loads(sent.stdout)
    p99 = percentile(seconds, 0.99)
    kept = "kept for a call" if asked["with_sid"] else "not kept"
    return Row(
        work=f"POST decide/, {PER_SECOND}/s, {kept}{beside}",
        peer="the contract",
        ours=in_milliseconds(seconds),
        theirs=f"p99 {MAX_P99 * 1e3:.0f} ms",
        ratio=MAX_P99 / p99,
        target=">= 1",
        note=f"{len(seconds):,} requests; load {load():.1f} on {psutil.cpu_count()} cores",
    )


@contextmanager
def reads(port: int, key: str) -> Iterator[None]:
    """One client that reads the latest calls again as soon as it is answered."""
    over = threading.Event()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while not over.is_set():
            connection.request("GET", LIST, headers={"Authorization": f"Api-Key {key}"})
            connection.getresponse().read()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def send(port: int, key: str, callers: list[str], with_sid: bool) -> list[float]:
    """Seconds of each request after the first few. Raises for an unsuccessful answer."""
    own = threading.local()

    def ask(number: int, due: float) -> float:
        if not hasattr(own, "connection"):
            own.connection = http.client.HTTPConnection("127.0.0.1", port)
        known = {"language": "de-DE"} | ({"urgency": "low"} if number % 3 else {})
        caller = callers[number // 2 % len(callers)] if number % 2 else f"+4930{number:08}"
        question = {"caller": caller, "facts": known}
        if with_sid:
            question["call_sid"] = f"CA{os.getpid():08x}{number // 3:024x}"
        headers = {"Authorization": f"Api-Key {key}", "Content-Type": "application/json"}
        own.connection.request("POST", PATH, json.dumps(question), headers)
        answer = own.connection.getresponse()
        body = answer.read()
        if answer.status != HTTPStatus.OK:
            raise SystemExit(f"decide/ answered {answer.status}: {body[:500]!r}")
        return time.perf_counter() - due

    with ThreadPoolExecutor(CLIENTS) as pool:
        sent = []
        due = time.perf_counter()
        for number in itertools.islice(itertools.count(), PER_SECOND * (WARM_UP + SECONDS)):
            sent.append(pool.submit(ask, number, due))
            due += 1 / PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
        return [answer.result() for answer in sent][PER_SECOND * WARM_UP :]


if __name__ == "__main__":
    if sys.argv[1:] == ["send"]:
        json.dump(send(**json.load(sys.stdin)), sys.stdout)
    else:
        run_alone("decide_load", rows, __doc__)
