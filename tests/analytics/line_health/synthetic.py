"""Made-up lines with a year of calls, and how the silence alarm does on them.

A line has hours, special days, calls that follow weekday and hour, days and weeks that differ,
weeks at half the calls, a trend, and callers who call again within minutes.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from typing import NamedTuple

from analytics.line_health.counted_hours import HOUR, CountedHours
from analytics.line_health.silence import Silence, State, judge
from analytics.line_health.usual import MAX_WEEKS, Hour, Usual, learn
from decisions.line_settings import LineSettings
from decisions.zones import to_instant
from tests.decisions.factories import row, special

BEGIN = datetime(2025, 1, 6, tzinfo=UTC)  # a Monday
LEARNING = MAX_WEEKS  # weeks before the year that is judged
WEEKS = LEARNING + 52
DAYS = 7 * WEEKS
FIRST_HOUR = to_instant(BEGIN) // HOUR
# Calls a day, from one a week.
VOLUMES = (1 / 7, 0.3, 0.7, 1.5, 4.0, 12.0, 40.0, 120.0, 500.0)
CUTS = 3  # of each line


class Kind(NamedTuple):
    """How much a line's days and weeks differ, and how often a caller calls again."""

    days: float = 0.2
    weeks: float = 0.15
    slow_weeks: int = 4  # a year, at half the calls
    again: float = 0.15
    trends: Sequence[float] = (-0.5, 0.0, 0.5, 1.0)  # over the whole time


CHANCE_ALONE = Kind(0, 0, 0, 0, (0.0,))
LIFELIKE = Kind()


@dataclass
class Line:
    settings: LineSettings
    calls: list[float]  # hours since BEGIN
    rates: list[float]  # calls that were to be expected, hour by hour


@dataclass
class Outcome:
    """Of one line: alarms of a year in which nothing was wrong; what each cut took to be found.

    Delays are in usual calls since the cut; None: never.
    """

    calls_a_day: float
    alarms: int = 0
    watches: int = 0
    delays: list[float | None] = field(default_factory=list)
    notices: list[float | None] = field(default_factory=list)
    hours: list[float] = field(default_factory=list)  # until the alarm, by the clock


def make_line(random: Random, calls_a_day: float, kind: Kind) -> Line:
    round_the_clock = random.random() < 0.3
    special_days = random.sample(range(7, DAYS), 15)
    dates = [(BEGIN + timedelta(days=day)).date().isoformat() for day in special_days]
    hours = () if round_the_clock else tuple(row(d, "08:00-18:00", "UTC") for d in range(1, 6))
    settings = LineSettings(
        timezone="UTC",
        business_hours=hours,
        # A line of special days alone would be closed on all others.
        special_days=() if round_the_clock else tuple(special(d, "09:00-12:00") for d in dates),
    )
    shape = [_shape(round_the_clock, slot) for slot in range(7 * 24)]
    scale = 7 * calls_a_day / sum(shape)
    slow = set(random.sample(range(WEEKS), kind.slow_weeks * WEEKS // 52))
    trend = random.choice(kind.trends)
    line = Line(settings, [], [])
    for day in range(DAYS):
        if day % 7 == 0:
            week = _level(random, kind.weeks) * (0.5 if day // 7 in slow else 1)
        level = week * _level(random, kind.days) * (1 + trend * day / DAYS)
        if day in special_days and not round_the_clock:
            level *= 0.1
        for hour in range(24):
            rate = scale * shape[day % 7 * 24 + hour] * level
            line.rates.append(rate)
            for _ in range(_poisson(random, rate / (1 + kind.again))):
                at = 24 * day + hour + random.random()
                line.calls.append(at)
                while random.random() < kind.again / (1 + kind.again):
                    at += random.random() / 10
                    line.calls.append(at)
    line.calls.sort()
    return line


def _shape(round_the_clock: bool, slot: int) -> float:
    """Slots begin with Monday here."""
    day, hour = divmod(slot, 24)
    if round_the_clock:
        return (0.05 + math.exp(-(((hour - 13) / 5) ** 2))) * (1.0 if day < 5 else 0.5)
    if day < 5 and 8 <= hour < 18:
        return 0.6 + math.exp(-(((hour - 10) / 2) ** 2))
    return 0.01  # somebody calls a closed line now and then


def _level(random: Random, spread: float) -> float:
    return math.exp(random.gauss(0, spread) - spread**2 / 2)


def _poisson(random: Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    left, number = random.expovariate(1), 0
    while left < mean:
        left += random.expovariate(1)
        number += 1
    return number


class Year:
    """The year of a line as the jobs see it, with a new baseline every four weeks."""

    def __init__(self, line: Line) -> None:
        self.line = line
        calls = Counter(FIRST_HOUR + int(at) for at in line.calls)
        counted = CountedHours(line.settings)
        end = BEGIN + timedelta(days=DAYS)
        hours = counted.between(BEGIN, end, calls)
        self.hours = list(hours.values())
        self.numbers = [number - FIRST_HOUR for number in hours]
        self.usual: dict[int, Usual | None] = {}

    def usual_at(self, hour: float) -> Usual | None:
        week = int(hour // (28 * 24)) * 4
        if week not in self.usual:
            first, last = ((week - weeks) * 7 * 24 for weeks in (MAX_WEEKS, 0))
            self.usual[week] = learn(self.hours[self._place(first) : self._place(last)])
        return self.usual[week]

    def silence(self, usual: Usual, last: float, now: float) -> Silence:
        """That of `now`, if the last call was at `last`."""
        place = self._place(last)
        before = list(self.hours[self._place(last - 7 * 24) : place])
        if place < len(self.hours) and self.numbers[place] == int(last):
            begun = bisect_right(self.line.calls, last) - bisect_left(self.line.calls, int(last))
            hour = self.hours[place]
            before.append(hour._replace(open=last % 1, calls=begun))
        return judge(usual, before=before, since=self.between(last, now))

    def between(self, start: float, end: float) -> list[Hour]:
        first, last = self._place(start), self._place(end)
        hours = self.hours[first:last]
        if hours and self.numbers[first] < start:
            hours[0] = hours[0]._replace(open=min(self.numbers[first] + 1, end) - start)
        if last < len(self.hours) and self.numbers[last] < end:
            begin = max(start, self.numbers[last])
            hours.append(self.hours[last]._replace(open=end - begin))
        return hours

    def _place(self, hour: float) -> int:
        """Of the first hour that ends after this one."""
        return bisect_left(self.numbers, int(hour))

    def false_alarms(self) -> tuple[int, int]:
        """Silences that were taken for a cut in a year, and those that were watched."""
        alarms = watches = 0
        first = LEARNING * 7 * 24
        for last, after in pairwise(at for at in self.line.calls if at >= first):
            usual = self.usual_at(last)
            if usual is None or (after - last) * max(usual.rates) < 3:
                continue
            state = self.silence(usual, last, after).state
            watches += state is not State.NORMAL
            alarms += state is State.QUIET
        return alarms, watches

    def find_cut(self, cut: float, state: State) -> float | None:
        """When a line that was cut off is in this state: hours since BEGIN.

        To six minutes, or the time of a tenth of a call at the busiest hour.
        """
        last = self.line.calls[bisect_left(self.line.calls, cut) - 1]
        usual = self.usual_at(cut)
        if usual is None:
            return None
        parts = 10 * math.ceil(max(1, *usual.rates))  # of an hour
        moments = range(int(cut * parts), DAYS * 24 * parts)

        def found(moment: int) -> bool:
            reached = self.silence(usual, last, moment / parts).state
            return reached is State.QUIET or reached is state

        at = bisect_left(moments, True, key=found)
        return moments[at] / parts if at < len(moments) else None


def measure(random: Random, calls_a_day: float, kind: Kind) -> Outcome:
    year = Year(make_line(random, calls_a_day, kind))
    outcome = Outcome(calls_a_day)
    outcome.alarms, outcome.watches = year.false_alarms()
    for cut in _moments_of_cuts(random, year):
        usual = year.usual_at(cut)
        for state, delays in ((State.WATCHED, outcome.notices), (State.QUIET, outcome.delays)):
            at = year.find_cut(cut, state)
            if usual is None or at is None:
                delays.append(None)
                continue
            delays.append(usual.expected(year.between(cut, at)))
            if state is State.QUIET:
                outcome.hours.append(at - cut)
    return outcome


def _moments_of_cuts(random: Random, year: Year) -> list[float]:
    """When calls would have come, early enough in the year for a line of few calls."""
    first, last = LEARNING * 7 * 24, (WEEKS - 24) * 7 * 24
    counted = [number for number in year.numbers if first <= number < last]
    weights = list(accumulate(year.line.rates[number] for number in counted))
    hours = random.choices(counted, cum_weights=weights, k=CUTS)
    return [hour + random.random() for hour in hours]
