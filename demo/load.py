"""The job behind `manage.py seed_demo`."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.db import connection, connections, transaction
from django.utils import timezone

from backoffice.display import plural
from demo.businesses import MAX_LINES, make_businesses
from demo.decisions import save_decisions
from demo.lines import save_lines, save_special_days
from demo.records import CallRow, make_calls
from tenancy import all_tenants, no_tenant
from tenants.models import PhoneNumber

CHUNK = 20_000  # rows
MAX_CALLS, MAX_DAYS = 50_000_000, 3650
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

STAGING = """
CREATE TEMPORARY TABLE demo_calls (
    id uuid, phone_id text, caller_number text, call_sid text, status text,
    provider_status text, created_at float8, updated_at float8, duration integer,
    recording_url text, transcript text, ai_summary text, ai_confidence numeric,
    metadata jsonb, tags text[], custom_fields jsonb, legs jsonb, recordings jsonb
)
"""
COPY_CALLS = f"COPY demo_calls ({', '.join(CallRow._fields)}) FROM STDIN"
INSERT_CALLS = """
INSERT INTO calls (
    id, phone_id, caller_number, call_sid, status, provider_status, created_at, updated_at,
    duration, recording_url, transcript, ai_summary, ai_confidence
)
SELECT id, phone_id, caller_number, call_sid, status, provider_status, to_timestamp(created_at),
    to_timestamp(updated_at), duration, recording_url, transcript, ai_summary, ai_confidence
FROM demo_calls
"""
INSERT_METADATA = """
INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields, created_at)
SELECT id, phone_id, metadata, tags, custom_fields, to_timestamp(updated_at)
FROM demo_calls WHERE metadata IS NOT NULL
"""
INSERT_LEGS = """
INSERT INTO call_legs (
    phone_id, call_sid, leg_sid, direction, "to", status, duration, started_at, ended_at
)
SELECT c.phone_id, c.call_sid, l.leg_sid, l.direction, l."to", l.status, l.duration,
    to_timestamp(l.started_at), to_timestamp(l.ended_at)
FROM demo_calls c, jsonb_to_recordset(c.legs) AS l (
    leg_sid text, direction text, "to" text, status text, duration integer, started_at float8,
    ended_at float8
)
"""
INSERT_RECORDINGS = """
INSERT INTO call_recordings (
    phone_id, call_sid, recording_sid, url, duration, channels, source, state, started
)
SELECT c.phone_id, c.call_sid, r.recording_sid, r.url, r.duration, r.channels, r.source, r.state,
    to_timestamp(r.started)
FROM demo_calls c, jsonb_to_recordset(c.recordings) AS r (
    recording_sid text, url text, duration integer, channels integer, source text, state text,
    started float8
)
"""
TABLES = (
    *("phone_numbers", "voice_settings", "conversation_rules", "business_hours"),
    *("business_hours_intervals", "special_days", "special_day_intervals", "transfer_places"),
    *("decision_settings", "call_decisions"),
    *("calls", "call_metadata", "call_legs", "call_recordings"),
)
IS_OWNER = """
SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'calls'::regclass
"""


class DemoDataRefused(Exception):
    """The demo data cannot be written; the message is the reason."""


@dataclass(frozen=True)
class SeedResult:
    """How many rows were written."""

    lines: int
    calls: int
    metadata: int


def seed_demo(
    *,
    lines: int,
    calls: int,
    days: int,
    seed: int,
    until: datetime,
    append: bool = False,
    progress: Callable[[int], object] = lambda rows: None,
) -> SeedResult:
    """Write made-up lines and their calls of the `days` before `until`, all or nothing.

    The same arguments write the same rows into a database without lines. append allows existing
    lines. progress is called with the calls written since it was last called. Raises
    DemoDataRefused.
    """
    _check(lines=lines, calls=calls, days=days, until=until)
    since = until - timedelta(days=days)
    with all_tenants("seed_demo"), transaction.atomic():
        # Two seeders at once would choose the same numbers.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('seed_demo'))")
        taken = set(PhoneNumber.objects.values_list("number", flat=True))
        if taken and not append:
            raise DemoDataRefused(
                f"The database already has {plural(len(taken), 'line')}."
                " Use --append to add to them."
            )
        # Appending with the same seed must not generate the same ids again.
        rng = random.Random(f"{seed}/{len(taken)}")  # noqa: S311 - made-up data
        businesses = make_businesses(rng=rng, count=lines, taken=taken)
        save_lines(businesses=businesses, since=since, rng=rng)
        rows = make_calls(businesses=businesses, calls=calls, since=since, until=until, rng=rng)
        metadata = _load(rows, progress)
        save_special_days(businesses=businesses, until=until, rng=rng)
        save_decisions(businesses=businesses, until=until)
    return SeedResult(lines=lines, calls=calls, metadata=metadata)


def _check(*, lines: int, calls: int, days: int, until: datetime) -> None:
    for name, value, maximum in (
        ("lines", lines, MAX_LINES),
        ("calls", calls, MAX_CALLS),
        ("days", days, MAX_DAYS),
    ):
        if not 1 <= value <= maximum:
            raise DemoDataRefused(f"--{name} must be from 1 to {maximum}.")
    if not EARLIEST + timedelta(days=days) <= until <= timezone.now():
        raise DemoDataRefused(
            f"Invalid --until {until:%Y-%m-%d %H:%M} UTC: calls must lie between {EARLIEST.year}"
            " and now."
        )


def _load(rows: Iterator[CallRow], progress: Callable[[int], object]) -> int:
    """Insert all rows chunk by chunk; returns how many rows of metadata there are."""
    metadata = 0
    with connection.cursor() as cursor:
        cursor.execute(STAGING)
        copied = CHUNK
        while copied == CHUNK:
            copied = 0
            with cursor.copy(COPY_CALLS) as copy:
                for row in islice(rows, CHUNK):
                    copy.write_row(row)
                    copied += 1
            cursor.execute(INSERT_CALLS)
            cursor.execute(INSERT_METADATA)
            metadata += cursor.rowcount
            cursor.execute(INSERT_LEGS)
            cursor.execute(INSERT_RECORDINGS)
            cursor.execute("TRUNCATE demo_calls")
            progress(copied)
        cursor.execute("DROP TABLE demo_calls")
    return metadata


def analyze() -> str | None:
    """Refresh the planner's statistics as the owner of the tables; returns why it could not."""
    # Inside a scope the owner would act as staff.
    with no_tenant(), connections["owner"].cursor() as cursor:
        cursor.execute(IS_OWNER)
        if not cursor.fetchone()[0]:
            return "only the owner of the tables may run it (OWNER_DATABASE_URL)"
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")
    return None
