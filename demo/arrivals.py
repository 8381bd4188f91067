"""The times of generated calls, and their lines."""

import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

from demo.businesses import Business, Trade, closing_hour

HOUR = 3600


def shares_of_lines(count: int) -> list[float]:
    """Each line's share of the calls, the sum being 1, by Zipf's law: a few lines have most."""
    weights = [(rank + 1) ** -0.9 for rank in range(count)]
    return [weight / sum(weights) for weight in weights]


def busyness(trade: Trade, day: int, hour: int) -> float:
    """How busy an hour of a day (0 is Monday) is on the line's own clock; 1 is ordinary."""
    closes = closing_hour(trade, day)
    if closes is None or not trade.opens <= hour < closes:
        quiet = 0.02 if hour < 7 else 0.12
        return quiet * (3 if trade.is_urgent else 1)
    if trade.closes > 20:  # a restaurant: people reserve for the evening
        return 1.6 if 16 <= hour < 20 else 0.8
    monday = 1.25 if day == 0 else 1.0
    if hour < trade.opens + 3:
        return 1.4 * monday
    return (0.7 if 12 <= hour < 14 else 1.0) * monday


def arrivals(
    *,
    businesses: Sequence[Business],
    shares: Sequence[float],
    calls: int,
    since: datetime,
    until: datetime,
    rng: random.Random,
) -> Iterator[tuple[float, int]]:
    """Yield a time (seconds since 1970) and an index into `businesses` per call, in time order.

    A Poisson process whose rate follows the hours, the weekdays and a slow growth.
    """
    # Lines of one timezone and trade share a rhythm, so an hour's work does not grow with lines.
    groups: dict[tuple[str, str], list[int]] = {}
    for n, business in enumerate(businesses):
        groups.setdefault((business.city.timezone, business.trade.name), []).append(n)
    members = list(groups.values())
    weights = [list(accumulate(shares[n] for n in group)) for group in members]
    clocks = [ZoneInfo(businesses[group[0]].city.timezone) for group in members]
    rhythms = [
        [
            [busyness(businesses[group[0]].trade, day, hour) for hour in range(24)]
            for day in range(7)
        ]
        for group in members
    ]
    start = since.timestamp()
    hours = round((until.timestamp() - start) / HOUR)
    moods = [
        (0.85 + 0.3 * hour / hours) * rng.lognormvariate(0, 0.12) for hour in range(0, hours, 24)
    ]

    def rates(hour: int) -> list[float]:
        """The running sum of the groups' rates in an hour after the start."""
        at = {clock: datetime.fromtimestamp(start + hour * HOUR, clock) for clock in set(clocks)}
        return list(
            accumulate(
                moods[hour // 24] * weight[-1] * rhythm[at[clock].weekday()][at[clock].hour]
                for weight, clock, rhythm in zip(weights, clocks, rhythms, strict=True)
            )
        )

    total = sum(rates(hour)[-1] for hour in range(hours))
    hour, current, before = 0, rates(0), 0.0
    left = 1.0
    for n in range(calls, 0, -1):
        # The smallest of n uniform points in what is left: all points in order, none kept.
        left *= rng.random() ** (1 / n)
        point = (1 - left) * total
        while point >= before + current[-1] and hour + 1 < hours:
            before += current[-1]
            hour += 1
            current = rates(hour)
        fraction = min((point - before) / current[-1], 0.999999)
        group = _pick(current, rng)
        yield start + (hour + fraction) * HOUR, members[group][_pick(weights[group], rng)]


def _pick(running_sum: list[float], rng: random.Random) -> int:
    return bisect(running_sum, rng.random() * running_sum[-1], hi=len(running_sum) - 1)
