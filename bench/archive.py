"""archive_calls against the schema document's one statement, on the same calls.

    python -m bench.archive --calls 500000

Scratch databases in a cluster of their own (.postgres/bench), durable as in production. Prints
calls a second of each, the time of a batch beside 100 signed callbacks a second and theirs, and
what the uniqueness of call_sid over calls and archive costs an INSERT.
"""

import argparse
import os
import secrets
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from bench import steady
from bench.intake import NUMBER, PHONE_ID
from replytics.embedded import OWNER_LOGIN, ROOT, SERVING_LOGIN, SUPERUSER, Cluster

CLUSTER = Cluster(ROOT / ".postgres" / "bench")
LINES = 50
MONTHS = 84

FILL = [
    "INSERT INTO phone_numbers (id, number, business_name) SELECT 'pn_' || i,"
    f" '+1415555' || lpad(i::text, 4, '0'), 'Business ' || i FROM generate_series(1, {LINES}) i",
    "ALTER TABLE call_metadata DISABLE TRIGGER USER",
    f"""
    INSERT INTO calls (phone_id, caller_number, call_sid, status, duration, recording_url,
        transcript, ai_summary, created_at, updated_at)
    SELECT 'pn_' || (1 + i % {LINES}), '+1415' || (1000000 + (i::bigint * 7919) % 20000),
        'CA' || md5(i::text), CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'completed' END, i % 600,
        'https://example.com/' || md5(i::text), repeat('a line of the transcript ', 20),
        'summary ' || i, begun, begun + interval '3 minutes'
    FROM generate_series(1, {{calls}}) i, LATERAL (
        SELECT timestamptz '2018-01-01' + i * (interval '{MONTHS} months' / {{calls}}) AS begun) t
    """,
    """
    INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields, created_at)
    SELECT id, phone_id, jsonb_build_object('lang', 'en', 'score', duration, 'who', caller_number),
        ARRAY['vip', 't' || duration % 20], '{"a": 1}', created_at
    FROM calls WHERE duration % 4 <> 0
    """,
    "ALTER TABLE call_metadata ENABLE TRIGGER USER",
    "SELECT app.create_archive_partitions('2018-01-01', '2024-12-31')",
]
DOCUMENT = """
WITH archived_calls AS (
  DELETE FROM calls
  WHERE created_at < NOW() - INTERVAL '1 year'
  RETURNING *
)
INSERT INTO {archive} SELECT * FROM archived_calls
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


def connect(login: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
    url = CLUSTER.url(login, database)
    assert url is not None
    return psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor)


def environment(database: str) -> dict[str, str]:
    urls = {"DATABASE_URL": SERVING_LOGIN, "OWNER_DATABASE_URL": OWNER_LOGIN}
    settings = {name: CLUSTER.url(login, database) or "" for name, login in urls.items()}
    return (
        os.environ
        | settings
        | {"SECRET_KEY": secrets.token_urlsafe(50), "AUDIT_LOG_LEVEL": "WARNING"}
    )


def manage(database: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment(database),
        stdout=subprocess.DEVNULL,
    )


def make_template(calls: int) -> None:
    with connect(SUPERUSER, "postgres") as server:
        server.execute("DROP DATABASE IF EXISTS bench_template")
        server.execute(f"CREATE DATABASE bench_template OWNER {OWNER_LOGIN}")
    if manage("bench_template", "migrate", "--verbosity=0").wait():
        raise SystemExit("the scratch database could not be migrated")
    with connect(SUPERUSER, "bench_template") as connection:
        for statement in FILL:
            connection.execute(statement.replace("{calls}", str(calls)))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


@contextmanager
def copy_of_template(name: str) -> Iterator[str]:
    with connect(SUPERUSER, "postgres") as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name} TEMPLATE bench_template OWNER {OWNER_LOGIN}")
        server.execute("CHECKPOINT")
        yield name
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def document(database: str, archive: str) -> float:
    """Rows a second of the document's statement."""
    with connect(SUPERUSER, database) as connection:
        if archive == "document_archive":
            connection.execute("CREATE TABLE document_archive (LIKE calls INCLUDING ALL)")
        begun = time.perf_counter()
        moved = connection.execute(DOCUMENT.format(archive=archive)).rowcount
        return moved / (time.perf_counter() - begun)


def archiver(database: str, *arguments: str) -> float:
    """Rows a second of archive_calls, by the clock of its ledger, which has its counting too."""
    if manage(database, "archive_calls", *arguments).wait():
        raise SystemExit("archive_calls failed")
    with connect(SUPERUSER, database) as connection:
        row = connection.execute(
            "SELECT calls / extract(epoch FROM ended_at - started_at) FROM archive_runs"
        ).fetchone()
    assert row is not None
    return float(str(row[0]))


def beside_intake(database: str) -> tuple[float, list[float], list[float]]:
    """Calls a second, seconds of each batch, and of each of 100 signed callbacks a second."""
    settings = environment(database)
    os.environ.update(settings)
    os.environ["DJANGO_SETTINGS_MODULE"] = "replytics.settings"
    import django

    django.setup()
    from django.utils import timezone

    from calls.archival import batches, cutoff, moving

    seconds: list[float] = []
    begun = threading.local()

    def note(moved: batches.Moved) -> None:
        now = time.perf_counter()
        if hasattr(begun, "at"):  # the first one of a connection includes what comes before
            seconds.append(now - begun.at)
        begun.at = now

    with connect(SUPERUSER, database) as superuser:
        superuser.execute(
            "INSERT INTO phone_numbers (id, number, business_name) VALUES (%s, %s, 'Bench')",
            [PHONE_ID, NUMBER],
        )
    year = cutoff.older_than("1 year", now=timezone.now())
    with steady.intake(settings) as url, steady.callbacks(url, per_second=100) as answers:
        time.sleep(3)  # warm
        run = moving.archive_calls(cut_off=year, workers=2, started_by="bench", on_batch=note)
    return run.calls / run.duration.total_seconds(), seconds, answers


def cost_of_uniqueness(database: str, rounds: int = 15, inserts: int = 300) -> dict[str, float]:
    """Seconds of an INSERT: without a check, with ours, and with a look into each partition."""
    switches = {
        "no check": ("DISABLE", "DISABLE"),
        "list of SIDs": ("ENABLE", "DISABLE"),
        "every partition": ("DISABLE", "ENABLE"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in switches}
    with connect(SUPERUSER, database) as superuser, connect(SERVING_LOGIN, database) as writer:
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
    return {name: statistics.median(values) for name, values in seconds.items()}


def percentile(seconds: list[float], rank: float) -> float:
    """Milliseconds."""
    return sorted(seconds)[min(int(len(seconds) * rank), len(seconds) - 1)] * 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=500_000)
    calls = parser.parse_args().calls
    started = CLUSTER.start()
    try:
        make_template(calls)
        rates: dict[str, Callable[[str], float]] = {
            "document's statement": lambda name: document(name, "document_archive"),
            "document's statement, our archive": lambda name: document(name, "calls_archive"),
            "archive_calls --workers 1": lambda name: archiver(name, "--workers=1"),
            "archive_calls": archiver,
        }
        base = 0.0
        for title, measure in rates.items():
            with copy_of_template("bench_run") as database:
                rate = measure(database)
            base = base or rate
            print(f"{title:36} {rate:9,.0f} calls/s  {rate / base:.2f}x", flush=True)
        with copy_of_template("bench_run") as database:
            rate, batches, answers = beside_intake(database)
            print(f"{'archive_calls beside intake':36} {rate:9,.0f} calls/s  {rate / base:.2f}x")
            for title, times in (("batch", batches), ("callback, 100 a second", answers)):
                print(
                    f"{title:36} p50 {percentile(times, 0.5):.0f} ms,"
                    f" p99 {percentile(times, 0.99):.0f} ms, most {max(times) * 1_000:.0f} ms"
                    f" ({len(times):,})",
                    flush=True,
                )
            costs = cost_of_uniqueness(database)
            for title, cost in costs.items():
                ratio = cost / costs["no check"]
                print(f"INSERT, SID: {title:23} {cost * 1e6:7.0f} µs  {ratio:.2f}x")
    finally:
        with connect(SUPERUSER, "postgres") as server:
            server.execute("DROP DATABASE IF EXISTS bench_template")
        if started:
            CLUSTER.stop()


if __name__ == "__main__":
    main()
