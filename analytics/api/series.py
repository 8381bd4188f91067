"""A zero-filled series of one period: its buckets, and the whole of it; its outcomes."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from analytics.outcomes import count_outcomes
from analytics.queries import Counts, daily, grouped, hourly, midnight, total

NONE = Counts(0, 0, 0, 0, 0, 0, None, 0)


def read_days(
    *, first: date, last: date, timezone: str, group_by: str, week_start: str, is_own: bool
) -> Any:
    """The days first to last on the clock of timezone. is_own: it is the line's own clock."""
    week_offset = 1 if week_start == "sunday" else 0
    since, until = midnight(first, timezone), midnight(last + timedelta(days=1), timezone)
    if group_by == "day" and is_own:
        known: dict[Any, Counts] = dict(daily(first=first, last=last))
    else:
        known = grouped(
            group_by=group_by,
            timezone=timezone,
            since=since,
            until=until,
            week_offset=week_offset,
        )
    return _period(since, until, known, _days(first, last, group_by, week_offset))


def read_hours(*, since: datetime, until: datetime, timezone: str, group_by: str) -> Any:
    if group_by == "hour":
        # Stored hours are UTC's.
        is_stored = all(end.timestamp() % 3600 == 0 for end in (since, until))
        known: dict[Any, Counts] = dict(
            hourly(since=since, until=until)
            if is_stored
            else grouped(group_by="hour", timezone=timezone, since=since, until=until)
        )
        # The last may be a part of an hour, where clocks change by half of one.
        hours = ceil((until - since) / timedelta(hours=1))
        names: Iterator[Any] = (since + timedelta(hours=n) for n in range(hours))
    else:
        known = grouped(group_by=group_by, timezone=timezone, since=since, until=until)
        names = iter(range(24))
    return _period(since, until, known, names)


def read_outcomes(*, first: date, last: date, timezone: str) -> Any:
    """The days first to last, on the clock of timezone, as one period."""
    since, until = midnight(first, timezone), midnight(last + timedelta(days=1), timezone)
    outcomes = count_outcomes(since=since, until=until)
    return {
        "since": _moment(since),
        "until": _moment(until),
        "total_calls": sum(outcomes.values()),
        "outcomes": outcomes,
    }


def _days(first: date, last: date, group_by: str, week_offset: int) -> Iterator[Any]:
    if group_by == "weekday":
        yield from range(7)
        return
    day = {
        "day": first,
        "week": first - timedelta(days=(first.weekday() + week_offset) % 7),
        "month": first.replace(day=1),
    }[group_by]
    while day <= last:
        yield day
        steps = {"day": 1, "week": 7, "month": 31}
        day += timedelta(days=steps[group_by])
        if group_by == "month":
            day = day.replace(day=1)


def _period(since: datetime, until: datetime, known: dict[Any, Counts], names: Any) -> Any:
    return {
        "since": _moment(since),
        "until": _moment(until),
        "total": _shown(total(since=since, until=until)),
        "buckets": [{"bucket": _name(n), **_shown(known.get(n, NONE))} for n in names],
    }


def _name(bucket: Any) -> str:
    return _moment(bucket) if isinstance(bucket, datetime) else str(bucket)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _shown(counts: Counts) -> dict[str, Any]:
    numbers = asdict(counts)
    average: Decimal | None = numbers["average_duration"]
    return numbers | {"average_duration": None if average is None else float(average)}
