"""Where the calls counted by rows of statistics are, and whether those rows are up to date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

# Each subquery uses an index of line and time.
SOURCES = """
SELECT EXISTS (SELECT FROM calls c
        WHERE c.phone_id = p.phone_id AND c.created_at >= p.since AND c.created_at < p.until),
    EXISTS (SELECT FROM calls_archive c
        WHERE c.phone_id = p.phone_id AND c.created_at >= p.since AND c.created_at < p.until),
    EXISTS (SELECT FROM sealed_months m
        WHERE m.phone_id = p.phone_id AND m.since < p.until AND m.until > p.since),
    EXISTS (SELECT FROM rollup_queue q WHERE q.phone_id = p.phone_id
        AND q.bucket > p.since - interval '1 hour' AND q.bucket < p.until)
FROM unnest(%(lines)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    WITH ORDINALITY AS p (phone_id, since, until, position)
ORDER BY position
"""


@dataclass(frozen=True)
class Period:
    """A bucket of a line: [since, until)."""

    phone_id: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class BucketSource:
    """sealed: some of the calls were dropped. queued: the stored numbers are out of date."""

    period: Period
    live: bool
    archived: bool
    sealed: bool
    queued: bool


def find_source_calls(periods: Sequence[Period]) -> list[BucketSource]:
    """The source of each period, in the same order."""
    if not periods:
        return []
    values: dict[str, Any] = {
        "lines": [period.phone_id for period in periods],
        "since": [period.since for period in periods],
        "until": [period.until for period in periods],
    }
    with connection.cursor() as cursor:
        cursor.execute(SOURCES, values)
        found = cursor.fetchall()
    return [BucketSource(period, *row) for period, row in zip(periods, found, strict=True)]
