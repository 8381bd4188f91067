"""What the archiver's tests share: many old calls, and what live and archive hold together."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

from django.db import connection, connections, transaction

from analytics.rollups import roll_up
from calls.archival.dropping import drop_month, months_before
from calls.archival.models import ArchiveRun
from local.embedded import ROOT
from tenancy import all_tenants
from tenants.models import PhoneNumber

CUT_OFF = datetime(2024, 1, 1, tzinfo=UTC)

# Every fourth call has no metadata; texts that are empty, absent or hard to quote.
OLD_CALLS = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, duration, recording_url,
        transcript, ai_summary, created_at, updated_at, ai_confidence, provider_status)
    SELECT %(line)s, '+1415' || (1000000 + n %% 97), %(line)s || n,
        CASE n %% 5 WHEN 0 THEN 'failed' ELSE 'completed' END, n,
        CASE n %% 3 WHEN 0 THEN NULL ELSE 'https://example.com/' || n END,
        CASE n %% 3 WHEN 0 THEN '' ELSE E'She said "yes", \\\\N\\n' || n || ' é' END,
        nullif(n %% 2, 0)::text,
        timestamptz '2023-06-10 00:00:00.123456+00' + n * %(every)s::interval,
        timestamptz '2023-12-10 00:00:00.654321+00' + n * interval '1 s', n %% 100 / 100.0, NULL
FROM generate_series(1, %(count)s) n
"""
METADATA = """
INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields, created_at)
SELECT id, phone_id, jsonb_build_object('n', duration, 'x', 1.50), ARRAY['a,b', 'n' || duration],
    '{"plan": null}', created_at + interval '3 microseconds'
FROM calls WHERE phone_id = %(line)s AND duration %% 4 <> 0
"""
COLUMNS = """
    id, {table}.phone_id, caller_number, call_sid, status, duration, recording_url, transcript,
    ai_summary, {table}.created_at, updated_at, ai_confidence, provider_status, legal_hold
"""
# What a batch sets for its transaction holds on in the one that surrounds a test.
UNBOUNDED = "SELECT set_config('statement_timeout', '0', true)"
EVERYTHING = f"""
WITH everything AS (
    SELECT {COLUMNS.format(table="calls")},
        m.metadata, m.tags, m.custom_fields, m.created_at AS metadata_created_at
    FROM calls LEFT JOIN call_metadata m ON m.call_id = id
    UNION ALL
    SELECT {COLUMNS.format(table="calls_archive")},
        CASE WHEN metadata_created_at IS NOT NULL THEN metadata END,
        CASE WHEN metadata_created_at IS NOT NULL THEN tags END,
        CASE WHEN metadata_created_at IS NOT NULL THEN custom_fields END, metadata_created_at
    FROM calls_archive
)
SELECT count(*), count(DISTINCT id), count(DISTINCT call_sid),
    md5(string_agg(everything::text, E'\\n' ORDER BY id, created_at))
FROM everything
"""


def make_old_calls(line: PhoneNumber, count: int, *, every: str = "17 min") -> None:
    """Ended calls of June 2023 on, so far apart, three of four with metadata."""
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(OLD_CALLS, {"line": line.pk, "count": count, "every": every})
        cursor.execute(METADATA, {"line": line.pk})


def everything() -> tuple[Any, ...]:
    """Calls, distinct ids and SIDs of live and archive together, and a hash of all of it."""
    (row,) = query(EVERYTHING)
    return row


def drop_june(directory: Path) -> tuple[ArchiveRun, Path]:
    """The run, and the file that the archived calls of June 2023 are in from now on."""
    query(UNBOUNDED)
    with all_tenants("test"):
        roll_up()
        [june] = months_before(datetime(2023, 7, 15, tzinfo=UTC))
    run = drop_month(june, directory=directory, started_by="test")
    return run, directory / june.file_name()


def query(sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def counts() -> dict[str, int]:
    """Rows by table, all at one moment."""
    tables = ["calls", "call_metadata", "calls_archive", "app.archived_call_sids"]
    [found] = query("SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in tables))
    return dict(zip(tables, found, strict=True))


@contextmanager
def held(sql: str) -> Iterator[None]:
    """Hold what a statement locks, over the owner's connection, and undo it at the end."""
    with transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:
            cursor.execute(sql)
        yield
        transaction.set_rollback(True, using="owner")


def wait_for_a_waiting_writer() -> None:
    """Return once somebody in this database waits for another transaction to end."""
    # Not pg_stat_activity, of which a transaction sees what it saw first.
    waiting = """
    SELECT count(*) FROM pg_locks AS waiter
    WHERE NOT granted AND locktype = 'transactionid' AND EXISTS (
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
        WHERE pid = waiter.pid AND datname = current_database())
    """
    deadline = monotonic() + 240
    while query(waiting) == [(0,)]:
        assert monotonic() < deadline, "nobody ever waited"
        sleep(0.02)


def command(*arguments: str) -> "subprocess.Popen[str]":
    """manage.py in a process of its own, on the test's database."""
    environment = os.environ | {
        name: _url(connections[alias].settings_dict)
        for name, alias in (("DATABASE_URL", "default"), ("OWNER_DATABASE_URL", "owner"))
    }
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _url(settings: dict[str, Any]) -> str:
    password = quote(settings["PASSWORD"], safe="")
    return (
        f"postgres://{settings['USER']}:{password}@{settings['HOST']}:{settings['PORT']}"
        f"/{settings['NAME']}"
    )
