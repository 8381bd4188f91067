"""archive_calls beside the schema document's one statement, on the same calls.

    python -m bench.archive [--calls 50000]

A quarter of the calls is older than a year. Ours moves each of them with its metadata, tags and
custom fields, in batches that a kill leaves whole, and keeps its SID taken; the statement loses
the metadata to the cascade. Each has fresh copies of the database, by turns. Seconds are those of
the statement and, for ours, of the run in its ledger, which has its counting too. Then a batch
beside 100 signed callbacks a second, and what it costs an INSERT that an archived SID stays taken.
"""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator

from bench import steady
from bench.alone import run_alone
from bench.connections import set_up_django
from bench.database import (
    as_serving_login,
    as_superuser,
    connect,
    environment,
    scratch_database,
)
from bench.rows import Row, in_milliseconds
from bench.timing import median_ratio
from replytics.embedded import ROOT, SUPERUSER

ROUNDS = 2
LEDGER = "SELECT calls / extract(epoch FROM ended_at - started_at) FROM archive_runs"
DOCUMENT = """
WITH archived_calls AS (
  DELETE FROM calls
  WHERE created_at < NOW() - INTERVAL '1 year'
  RETURNING *
)
INSERT INTO document_archive SELECT * FROM archived_calls
"""
INSERT = """
SELECT set_config('role', 'replytics_staff', true);
INSERT INTO calls (phone_id, caller_number, call_sid, status)
VALUES ('pn_1', '+14155550000', %s, 'ringing')
"""
LOOK_INTO_PARTITIONS = """
CREATE OR REPLACE FUNCTION app.look_into_partitions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.calls_archive WHERE call_sid = NEW.call_sid) THEN
        RAISE unique_violation;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER look_into_partitions AFTER INSERT ON calls
    FOR EACH ROW EXECUTE FUNCTION app.look_into_partitions()
"""


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data, which is copied again before anybody connects."""
    template = os.environ["DATABASE_URL"].rpartition("/")[2]
    ways: dict[str, Callable[[str], float]] = {
        "ours": archiver,
        "one connection": lambda database: archiver(database, "--workers=1"),
        "document's statement": document,
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS):
        for name in list(ways)[:: 1 if turn % 2 else -1]:
            with scratch_database("bench_archive_run", template=template) as database:
                rates[name].append(ways[name](database))
    for name in list(ways)[:0:-1]:
        is_document = name == "document's statement"
        yield Row(
            work=f"archive of some {calls // 4:,} calls",
            peer=name,
            ours=" and ".join(f"{rate:,.0f}" for rate in rates["ours"]) + " calls/s",
            theirs=" and ".join(f"{rate:,.0f}" for rate in rates[name]) + " calls/s",
            ratio=median_ratio(rates["ours"], rates[name]),
            target=">= 2" if is_document else "",
            note="the statement keeps no metadata" if is_document else "",
        )
    set_up_django()
    yield from beside_intake()
    yield from cost_of_uniqueness()


def archiver(database: str, *arguments: str) -> float:
    """Calls a second."""
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "archive_calls", *arguments],
        env=os.environ | environment(database),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with connect(SUPERUSER, database) as server:
        row = server.execute(LEDGER).fetchone()
    assert row is not None
    return float(str(row[0]))


def document(database: str) -> float:
    """Calls a second."""
    with connect(SUPERUSER, database) as server:
        server.execute("CREATE TABLE document_archive (LIKE calls INCLUDING ALL)")
        begun = time.perf_counter()
        moved = server.execute(DOCUMENT).rowcount
        return moved / (time.perf_counter() - begun)


def beside_intake() -> Iterator[Row]:
    from django.utils import timezone

    from calls.archival import batches, cutoff, moving

    seconds: list[float] = []
    begun = threading.local()

    def note(moved: batches.Moved) -> None:
        now = time.perf_counter()
        if hasattr(begun, "at"):  # the first one of a connection includes what comes before
            seconds.append(now - begun.at)
        begun.at = now

    year = cutoff.older_than("1 year", now=timezone.now())
    with steady.intake() as url, steady.callbacks(url, per_second=100) as answers:
        time.sleep(3)  # warm
        run = moving.archive_calls(cut_off=year, workers=2, started_by="bench", on_batch=note)
    yield Row(
        work="archive beside 100 callbacks a second",
        peer="",
        ours=f"{run.calls / run.duration.total_seconds():,.0f} calls/s",
        note=f"a batch {in_milliseconds(seconds)}, a callback {in_milliseconds(answers)}",
    )


def cost_of_uniqueness(rounds: int = 9, inserts: int = 200) -> Iterator[Row]:
    switches = {
        "ours": ("ENABLE", "DISABLE"),
        "no check": ("DISABLE", "DISABLE"),
        "a look into every partition": ("DISABLE", "ENABLE"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in switches}
    with as_superuser() as superuser, as_serving_login() as writer:
        superuser.execute(LOOK_INTO_PARTITIONS)
        for _ in range(rounds):
            for name, (ours, other) in switches.items():
                superuser.execute(f"ALTER TABLE calls {ours} TRIGGER calls_sid_not_archived")
                superuser.execute(f"ALTER TABLE calls {other} TRIGGER look_into_partitions")
                with writer.transaction():  # one commit, so that the disk does not count
                    writer.execute(INSERT, [str(uuid.uuid4())])
                    begun = time.perf_counter()
                    for _ in range(inserts):
                        writer.execute(INSERT, [str(uuid.uuid4())])
                    seconds[name].append((time.perf_counter() - begun) / inserts)
    for name in list(switches)[1:]:
        yield Row(
            work="INSERT of a call whose SID is not archived",
            peer=name,
            ours=in_milliseconds(seconds["ours"]),
            theirs=in_milliseconds(seconds[name]),
            ratio=median_ratio(seconds["ours"], seconds[name]),
        )


if __name__ == "__main__":
    run_alone("archive", rows, __doc__)
