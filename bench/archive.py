"""archive_calls beside the schema document's one statement, on the same calls.

    python -m bench.archive [--calls 50000]

A quarter of the calls is older than a year. Ours moves each of them with its metadata, tags and
custom fields, in batches that a kill leaves whole, compares what arrived with what left, and keeps
its SID taken; the statement loses the metadata to the cascade. It stands here word for word, with
an archive made as the document makes it: on the product's calls, and on tables that are nothing
but the document's. Each contender has fresh copies of the database, by turns. Seconds are those of
the statement, and of archive_calls() from its first question to the end of its ledger; each finds
its archive made. Then a batch beside 100 signed callbacks a second, and what it costs an INSERT
that an archived SID stays taken.
"""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial

from bench import steady
from bench.alone import run_alone
from bench.connections import set_up_django
from bench.data import indexed_at_the_end
from bench.database import (
    as_serving_login,
    as_superuser,
    connect,
    environment,
    scratch_database,
)
from bench.rows import Row, in_milliseconds
from bench.timing import median_ratio
from local.embedded import ROOT, SUPERUSER

ROUNDS = 2
STATEMENT = "the document's statement"
BARE = "the same on the document's bare tables"
DOCUMENT = """
WITH archived_calls AS (
  DELETE FROM calls
  WHERE created_at < NOW() - INTERVAL '1 year'
  RETURNING *
)
INSERT INTO calls_archive SELECT * FROM archived_calls
"""
OUR_ARCHIVE = "SELECT app.create_archive_partitions(now() - interval '4 years', now())"
ITS_ARCHIVE = "CREATE TABLE document.calls_archive (LIKE public.calls INCLUDING ALL)"
ITS_TABLES = ROOT / "tests" / "schema" / "document.sql"
COPIED = {
    "phone_numbers": "id, number, display_name, business_name, created_at",
    "calls": "id, phone_id, caller_number, call_sid, status, duration, recording_url, transcript,"
    " ai_summary, created_at, updated_at",
    "call_metadata": "call_id, metadata, tags, custom_fields, created_at",
}
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
    rates: dict[str, list[float]] = {}
    with scratch_database("bench_archive_bare", template=template) as bare:
        fill_its_tables(bare)
        ways: dict[str, tuple[str, Callable[[str], float]]] = {
            "ours": (template, archiver),
            "one connection": (template, partial(archiver, workers=1)),
            STATEMENT: (template, partial(document, before=ITS_ARCHIVE)),
            BARE: (bare, document),
        }
        for turn in range(ROUNDS):
            for name in list(ways)[:: 1 if turn % 2 else -1]:
                source, way = ways[name]
                with scratch_database("bench_archive_run", template=source) as database:
                    rates.setdefault(name, []).append(way(database))
    notes = {
        STATEMENT: "it keeps no metadata and no words",
        BARE: "no policies, statistics, words, SIDs and keys to keep either",
    }
    for name in (STATEMENT, BARE, "one connection"):
        yield Row(
            work=f"archive of some {calls // 4:,} calls",
            peer=name,
            ours=" and ".join(f"{rate:,.0f}" for rate in rates["ours"]) + " calls/s",
            theirs=" and ".join(f"{rate:,.0f}" for rate in rates[name]) + " calls/s",
            ratio=median_ratio(rates["ours"], rates[name]),
            target=">= 2" if name == STATEMENT else "",
            note=notes.get(name, ""),
        )
    set_up_django()
    yield from beside_intake()
    yield from cost_of_uniqueness()


def archiver(database: str, workers: int = 2) -> float:
    """Calls a second, in a process of its own."""
    command = [sys.executable, "-m", "bench.archive", "--measure", str(workers)]
    environ = os.environ | environment(database)
    return float(subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True).stdout)


def measure(workers: int) -> float:
    with as_superuser() as server:
        server.execute(OUR_ARCHIVE)
    set_up_django()
    from django.utils import timezone

    from calls.archival import cutoff, moving

    begun = time.perf_counter()
    year = cutoff.older_than("1 year", now=timezone.now())
    run = moving.archive_calls(cut_off=year, workers=workers, started_by="bench")
    return run.calls / (time.perf_counter() - begun)


def fill_its_tables(database: str) -> None:
    """The same calls in tables as the document makes them."""
    with connect(SUPERUSER, database) as server:
        server.execute("CREATE SCHEMA document")
        server.execute("SET search_path = document")
        server.execute(ITS_TABLES.read_bytes())
        with indexed_at_the_end(server, *COPIED):
            for table, columns in COPIED.items():
                server.execute(f"INSERT INTO {table} SELECT {columns} FROM public.{table}")
        server.execute("VACUUM ANALYZE")


def document(database: str, before: str = "") -> float:
    """Calls a second."""
    with connect(SUPERUSER, database) as server:
        server.execute("CREATE SCHEMA IF NOT EXISTS document")
        server.execute("SET search_path = document, public")
        server.execute(before)
        begun = time.perf_counter()
        moved = server.execute(DOCUMENT).rowcount
        return moved / (time.perf_counter() - begun)


def beside_intake() -> Iterator[Row]:
    from django.utils import timezone

    from calls.archival import batches, cutoff, moving

    seconds: list[float] = []
    begun = threading.local()

    def note(moved: batches.BatchResult) -> None:
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
    if "--measure" in sys.argv:
        print(measure(int(sys.argv[2])))
    else:
        run_alone("archive", rows, __doc__)
