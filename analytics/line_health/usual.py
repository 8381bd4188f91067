"""What is usual at a line: calls by weekday and hour, and how much its days and weeks differ.

Pure: hours in, a baseline out. docs/decisions/0049 explains the statistics.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SLOTS = 7 * 24
# A baseline is learned from eight weeks, or from up to half a year where these have few calls.
WEEKS, MAX_WEEKS = 8, 26
ENOUGH_CALLS = 60
# Fewer tell nothing: the line has no baseline then.
MIN_CALLS = 8
MIN_DAYS = 14
# What a slot takes from its hour of the day and its weekday, in weeks of history.
PRIOR_SLOT = 2.0
# The spreads of a line whose history does not show them, and how many days, weeks or hours
# outweigh them.
USUAL_DAY_SPREAD, PRIOR_DAYS = 0.06, 5.0
USUAL_WEEK_SPREAD, PRIOR_WEEKS = 0.06, 8.0
USUAL_BURST, PRIOR_HOURS = 1.1, 50.0
MIN_SPREAD = 0.002
# A day with so many expected calls and none was a cut or a holiday: nothing to learn from.
EMPTY_DAY = 12.0


class Hour(NamedTuple):
    """An hour of a line that counts, at least in part: it was open and on no special day.

    day numbers the local dates one by one. slot is the local weekday * 24 + the hour. open is the
    part of it that counts, above 0 up to 1, and calls are those that began in the hour.
    """

    day: int
    slot: int
    open: float
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Usual:
    """rates are calls an hour by slot.

    A spread is the variance of the level, calls over usual calls, from one day or week to another
    beyond that of chance. burst is the variance of an hour's calls over their mean: 1 where each
    call comes by itself, more where one brings others.
    """

    rates: tuple[float, ...]
    calls_a_week: float
    day_spread: float
    week_spread: float
    burst: float

    def expected(self, hours: Iterable[Hour]) -> float:
        rates = self.rates
        return sum(rates[hour.slot] * hour.open for hour in hours)


Sums = dict[int, tuple[float, float]]  # calls and expected calls, by day or by week


def learn(hours: Sequence[Hour]) -> Usual | None:
    """From the hours that count of at most MAX_WEEKS, in order; None if too little is known."""
    if not hours:
        return None
    first = hours[-1].day - 7 * WEEKS
    recent = [hour for hour in hours if hour.day > first]
    if sum(hour.calls for hour in recent) >= ENOUGH_CALLS:
        hours = recent
    if hours[-1].day - hours[0].day < MIN_DAYS:
        return None
    if sum(hour.calls for hour in hours) < MIN_CALLS:
        return None
    usual, days = _usual(hours)
    empty = {day for day, (calls, due) in days.items() if not calls and due > EMPTY_DAY}
    if empty:
        usual, _ = _usual([hour for hour in hours if hour.day not in empty])
    return usual


def _rates(hours: Sequence[Hour]) -> tuple[float, ...]:
    """The mean of each slot, drawn a little to that of its hour of the day times its weekday's."""
    calls, times = [0.0] * SLOTS, [0.0] * SLOTS
    for hour in hours:
        calls[hour.slot] += hour.calls
        times[hour.slot] += 1  # also where it is open in part, lest too many calls are expected
    at_hour = [
        sum(calls[hour::24]) / seen if (seen := sum(times[hour::24])) else 0.0
        for hour in range(24)
    ]
    on_day = []
    for first in range(0, SLOTS, 24):
        usual = sum(times[first + hour] * at_hour[hour] for hour in range(24))
        on_day.append(sum(calls[first : first + 24]) / usual if usual else 0.0)
    return tuple(
        (calls[slot] + PRIOR_SLOT * at_hour[slot % 24] * on_day[slot // 24])
        / (times[slot] + PRIOR_SLOT)
        if times[slot]
        else 0.0
        for slot in range(SLOTS)
    )


def _usual(hours: Sequence[Hour]) -> tuple[Usual, Sums]:
    """And the sums of each day."""
    rates = _rates(hours)
    first = hours[0].day
    weeks = (hours[-1].day - first + 1) / 7
    days = _sums(hours, rates, lambda hour: hour.day)
    by_week = _sums(hours, rates, lambda hour: (hour.day - first) // 7)
    level = {week: (calls + 1) / (usual + 1) for week, (calls, usual) in by_week.items()}
    in_week = [(calls, usual * level[(day - first) // 7]) for day, (calls, usual) in days.items()]
    # The rates were made of the same hours and follow them: this part of the variance is left.
    left = 1 - 2 / (weeks + PRIOR_SLOT) + weeks / (weeks + PRIOR_SLOT) ** 2
    burst = _burst(hours, rates, days, left)
    chance = burst, left
    found = Usual(
        rates=rates,
        calls_a_week=sum(usual for _, usual in days.values()) / weeks,
        day_spread=_spread(in_week, USUAL_DAY_SPREAD, PRIOR_DAYS, *chance),
        week_spread=_spread(by_week.values(), USUAL_WEEK_SPREAD, PRIOR_WEEKS, *chance),
        burst=burst,
    )
    return found, days


def _sums(hours: Iterable[Hour], rates: Sequence[float], group: Callable[[Hour], int]) -> Sums:
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for hour in hours:
        pair = sums[group(hour)]
        pair[0] += hour.calls
        pair[1] += rates[hour.slot] * hour.open
    return {key: (calls, usual) for key, (calls, usual) in sums.items()}


def _spread(
    sums: Iterable[tuple[float, float]],
    prior: float,
    prior_weight: float,
    burst: float,
    left: float,
) -> float:
    """Method of moments; groups of few calls show little beside chance and count little."""
    weight, found = prior_weight, 0.0
    for calls, usual in sums:
        if usual > 0:
            chance = burst / usual
            worth = prior / (prior + chance)
            weight += worth
            found += worth * ((calls / usual - 1) ** 2 / left - chance)
    return max(MIN_SPREAD, (max(found, 0.0) + prior_weight * prior) / weight)


def _burst(hours: Iterable[Hour], rates: Sequence[float], days: Sums, left: float) -> float:
    weight, found = PRIOR_HOURS, PRIOR_HOURS * USUAL_BURST
    for hour in hours:
        calls, usual = days[hour.day]
        mean = rates[hour.slot] * hour.open * (calls + 1) / (usual + 1)
        if mean > 0:
            worth = mean / (mean + 0.5)
            weight += worth
            found += worth * (hour.calls - mean) ** 2 / mean / left
    return max(1.0, found / weight)
