"""The same work on a fifth of the calls and on all of them: reads stay flat, writes linear.

    python -m bench.growth [--calls 50000]

Flat and linear both mean a ratio of 1: of a read, and of what one more call costs. The two
databases take turns; each turn is a process of its own, whose median counts. The biggest line,
which is asked, has five times as many calls too.
"""

import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from bench.alone import run_alone
from bench.connections import set_up_django
from bench.data import filled_database
from bench.database import environment
from bench.rows import Row, in_milliseconds
from bench.timing import by_turns, median_ratio

FACTOR = 5
TURNS, ROUNDS = 3, 11
LINE = "pn_0"
PAGE = 30  # which the smaller database has too
WRITES = 100  # calls
MORE_MATCHES = "the line has five times the matches, which GIN gives without their order"
NOTES = {
    "read: rare tag": MORE_MATCHES,
    "read: rare word": MORE_MATCHES,
    f"write: {WRITES} calls archived": "each run counts all that is old enough first",
}
TARGETS = {"read": "<= 1.25", "write": "<= 1.25"}


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data, and on another one with a fifth of its calls."""
    taken: dict[str, dict[str, list[float]]] = {"whole": {}, "fifth": {}}
    with filled_database("bench_growth_fifth", calls // FACTOR) as fifth:
        places = {"whole": dict(os.environ), "fifth": os.environ | environment(fifth)}
        for turn in range(TURNS):
            for place in list(places)[:: 1 if turn % 2 else -1]:
                for work, median in _measured(places[place]).items():
                    taken[place].setdefault(work, []).append(median)
    for work, seconds in taken["whole"].items():
        yield Row(
            work=work,
            peer=f"{calls // FACTOR:,} calls",
            ours=in_milliseconds(seconds),
            theirs=in_milliseconds(taken["fifth"][work]),
            ratio=median_ratio(seconds, taken["fifth"][work]),
            target=TARGETS[work.partition(":")[0]],
            note=NOTES.get(work, ""),
        )


def _measured(environ: dict[str, str]) -> dict[str, float]:
    """Median seconds of each work, in a process."""
    command = [sys.executable, "-m", "bench.growth", "--measure"]
    said = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True).stdout
    medians: dict[str, float] = json.loads(said.splitlines()[-1])
    return medians


def measure() -> dict[str, float]:
    set_up_django()
    from django.utils import timezone

    from analytics import rollups
    from bench.admin_lists import LIST, logged_in
    from bench.analytics import read as read_daily
    from bench.depth import keyset
    from calls.archival import cutoff, moving
    from calls.models import Call
    from tenancy import all_tenants, tenant

    client = logged_in()

    def search(**asked: Any) -> Callable[[], object]:
        return lambda: list(Call.objects.search(**asked, limit=20)[:20])

    def open_admin() -> None:
        assert client.get(LIST).status_code == HTTPStatus.OK

    def insert() -> None:
        for _ in range(WRITES):
            Call.objects.create(
                phone_id=LINE,
                caller_number="+14155550100",
                call_sid=f"CAg{uuid.uuid4().hex}",
                status="ringing",
            )

    def roll_up() -> None:
        with all_tenants("bench"):
            rollups.roll_up()

    def archive() -> None:
        cut_off = cutoff.older_than("1 year", now=timezone.now())
        moving.archive_calls(cut_off=cut_off, limit=WRITES, started_by="bench")

    with tenant(LINE):
        reads = {
            "read: latest 20": keyset(1),
            f"read: page {PAGE}": keyset(PAGE),
            "read: rare tag": search(all_tags=["complaint"]),
            "read: rare word": search(words="w20000"),
            "read: 90 days": read_daily,
        }
        taken = by_turns(reads, rounds=ROUNDS)
        taken |= by_turns({f"write: {WRITES} calls inserted": insert}, rounds=2)
    taken |= by_turns({"read: first page of the admin's list": open_admin}, rounds=5)
    roll_up()
    writes = {f"write: {WRITES} calls archived": archive}
    taken |= by_turns(writes, rounds=2)
    with tenant(LINE):
        insert()
    begun = time.perf_counter()
    roll_up()
    taken["write: the hour rolled up"] = [time.perf_counter() - begun]
    return {work: statistics.median(seconds) for work, seconds in taken.items()}


if __name__ == "__main__":
    if "--measure" in sys.argv:
        print(json.dumps(measure()))
    else:
        run_alone("growth", rows, __doc__)
