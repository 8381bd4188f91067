"""How many calls came while a line was closed, by the weekly gap between its hours."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from database.prepared import Statement
from decisions.calendar import Calendar, stretches
from decisions.hours_in_words import WEEK, number_of
from tenants.rules.phrases import DAYS

SPAN = timedelta(days=30)

# Reads only what is within a gap: idx_calls_phone_created has the calls of a line by moment.
CALLS_IN_GAPS = Statement(
    """
SELECT gap.number, found.calls
FROM unnest(%(begins)s, %(ends)s) WITH ORDINALITY AS gap (begins, ends, number)
CROSS JOIN LATERAL (
    SELECT count(*) AS calls FROM calls
    WHERE phone_id = %(line)s AND created_at >= gap.begins AND created_at < gap.ends
) AS found
ORDER BY gap.number
""",
    line="text",
    begins="timestamptz[]",
    ends="timestamptz[]",
)


class ClosedSpan(NamedTuple):
    """[begins, ends), and the name of the gap that it is an instance of."""

    begins: datetime
    ends: datetime
    name: str


@dataclass(frozen=True)
class Gap:
    """A weekly gap between opening hours, when it was within the span, and its calls."""

    name: str
    spans: tuple[ClosedSpan, ...]
    calls: int


def gaps_of(line: str, spans: Sequence[ClosedSpan]) -> list[Gap]:
    """By name, the one with the most calls first; needs the line's scope."""
    found = CALLS_IN_GAPS.fetch_all(
        {
            "line": line,
            "begins": [span.begins for span in spans],
            "ends": [span.ends for span in spans],
        }
    )
    calls = Counter[str]()
    by_name: dict[str, list[ClosedSpan]] = {}
    for number, count in found:
        span = spans[number - 1]
        by_name.setdefault(span.name, []).append(span)
        calls[span.name] += count
    gaps = [Gap(name, tuple(own), calls[name]) for name, own in by_name.items()]
    return sorted(gaps, key=lambda gap: -gap.calls)


def closed_spans(
    calendar: Calendar, settings: Mapping[str, Any], *, now: datetime
) -> list[ClosedSpan]:
    """What was closed in the 30 days up to now by these hours, in order; cut off at both ends.

    `settings` is the document that the calendar was made of. None where no hours are set.
    """
    if not calendar.is_set:
        return []
    now = now.astimezone(UTC)
    since, around = now - SPAN, WEEK + timedelta(days=1)
    first, last = since - around, now + around
    opened = stretches(calendar, first, last)
    edges = [first, *(edge for each in opened for edge in (each.open, each.close)), last]
    naming = _Naming(settings, first, last)
    return [
        ClosedSpan(max(begins, since), min(ends, now), naming.name(begins, ends))
        for begins, ends in zip(edges[::2], edges[1::2], strict=True)
        if max(begins, since) < min(ends, now)
    ]


class _Naming:
    def __init__(self, settings: Mapping[str, Any], first: datetime, last: datetime) -> None:
        self._zone = ZoneInfo(settings["timezone"])
        self._first, self._last = first, last
        self._special = {
            row["date"]: row["label"] or "special day" for row in settings["special_days"]
        }

    def name(self, begins: datetime, ends: datetime) -> str:
        """Monday 17:00 to Tuesday 09:00, with the special days that it touches."""
        opens, closes = ends.astimezone(self._zone), begins.astimezone(self._zone)
        if begins == self._first or ends == self._last:
            return "Closed for longer than a week"
        form = "%Y-%m-%d %H:%M" if ends - begins >= WEEK else "%H:%M"
        is_one_day = opens.date() == closes.date()
        until = f"{opens:%H:%M}" if is_one_day else _moment(opens, form)
        name = f"{_moment(closes, form)} to {until}"
        special = ", ".join(dict.fromkeys(self._labels(closes, opens)))
        return f"{name} ({special})" if special else name

    def _labels(self, closes: datetime, opens: datetime) -> Iterator[str]:
        day = closes.date()
        while day <= opens.date():
            if label := self._special.get(day.isoformat()):
                yield label
            day += timedelta(days=1)


def _moment(moment: datetime, form: str) -> str:
    return f"{DAYS[number_of(moment)]} {moment:{form}}"
