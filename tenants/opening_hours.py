"""The opening hours of a line as one value: its week and its special days."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from itertools import pairwise
from typing import NamedTuple

# From Monday; 0 is Sunday.
WEEK = (1, 2, 3, 4, 5, 6, 0)
DAY = 24 * 60  # minutes


class Interval(NamedTuple):
    """A close that is not after open is the next day's; two equal ones mean 24 hours."""

    open: time
    close: time

    @property
    def is_whole_day(self) -> bool:
        return self.open == self.close

    @property
    def note(self) -> str:
        """What the two times alone do not tell."""
        if self.is_whole_day:
            return "24 hours"
        return "next day" if self.close < self.open else ""

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return f"{clock(self.open)} to {clock(self.close)}{note}"


def clock(moment: time) -> str:
    """Such as 09:30, with seconds where it has any."""
    return moment.isoformat("auto" if moment.second or moment.microsecond else "minutes")


@dataclass(frozen=True)
class Day:
    """The hours of a weekday. timezone is the first interval's; the others have the line's."""

    timezone: str
    intervals: tuple[Interval, ...] = ()
    is_closed: bool = False

    def __str__(self) -> str:
        return "closed" if self.is_closed else ", ".join(map(str, self.intervals)) or "not set"


@dataclass(frozen=True)
class Special:
    """The hours of a date, instead of the week's; without intervals it is closed all day."""

    label: str = ""
    intervals: tuple[Interval, ...] = ()
    is_closed: bool = False

    def __str__(self) -> str:
        return "closed" if self.is_closed else ", ".join(map(str, self.intervals)) or "closed"


@dataclass(frozen=True)
class OpeningHours:
    """Weekdays without a row are left out."""

    week: Mapping[int, Day] = field(default_factory=dict)
    special: Mapping[date, Special] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The same for the same hours."""
        text = repr((sorted(self.week.items()), sorted(self.special.items())))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def lacks_week(self) -> bool:
        """Whether the line is closed on all days that are not special."""
        return bool(self.special) and not self.week


def overlapping(intervals: Iterable[Interval]) -> bool:
    """Whether two intervals of one day overlap, as app.any_overlap() tells."""
    ends = sorted((_minutes(each.open), _minutes(each.close)) for each in intervals)
    spans = [(opens, closes if closes > opens else closes + DAY) for opens, closes in ends]
    return any(nxt[0] < this[1] for this, nxt in pairwise(spans))


def _minutes(moment: time) -> float:
    return moment.hour * 60 + moment.minute + (moment.second + moment.microsecond / 1e6) / 60
