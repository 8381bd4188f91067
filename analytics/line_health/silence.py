"""Whether a line has gone quiet: a pure function of what is usual and the hours since a call.

docs/decisions/0049 explains the statistics and has the figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from math import log, log1p

from analytics.line_health.usual import Hour, Usual

WEEKS_A_YEAR = 365.25 / 7
WATCHED_AT = 3.0  # expected calls that did not come
# A line of n calls a year has n silences, of which n ** -0.2 may be taken for a cut: 0.45 a year
# at a call a week, 0.09 at 500 a day, where days differ in more ways than are known here.
CAUTION = 1.2


class State(StrEnum):
    NORMAL = "normal"
    WATCHED = "watched"  # three expected calls did not come, as chance alone brings about often
    QUIET = "quiet"  # chance does so less than once a year


@dataclass(frozen=True, slots=True)
class Silence:
    """expected calls did not come; surprise is -ln of the probability that chance explains it.

    The line is quiet when that reaches alarm_at.
    """

    state: State
    expected: float
    surprise: float
    alarm_at: float


def judge(usual: Usual, *, before: Sequence[Hour], since: Sequence[Hour]) -> Silence:
    """since: the hours that count since the last call; before: those of the seven days before it.

    An hour of the last call is in both, each with its part.
    """
    expected = usual.expected(since)
    alarm_at = CAUTION * log(usual.calls_a_week * WEEKS_A_YEAR)
    if expected < WATCHED_AT:
        return Silence(State.NORMAL, expected, 0.0, alarm_at)
    surprise = _surprise(usual, before, since)
    state = State.QUIET if surprise >= alarm_at else State.WATCHED
    return Silence(state, expected, surprise, alarm_at)


def _surprise(usual: Usual, before: Sequence[Hour], since: Sequence[Hour]) -> float:
    """-ln P(no call), of calls whose level differs by week and by day, each gamma distributed.

    The week's is known by its spread and by the calls of the days before; the day's, where the
    silence began in the middle of one, also by that day's.
    """
    first = since[0].day
    calls, expected = _evidence(usual, [hour for hour in before if hour.day != first])
    # The days before differ too, so their mean is not as sure as the number of calls seems to say.
    sure = 1 / (1 + usual.day_spread * expected / 5)
    shape, rate = 1 / usual.week_spread + calls * sure, 1 / usual.week_spread + expected * sure
    level = shape / rate
    total = 0.0
    for day, hours in groupby(since, key=lambda hour: hour.day):
        day_shape = day_rate = 1 / usual.day_spread
        if day == first:
            calls, expected = _evidence(usual, [hour for hour in before if hour.day == first])
            day_shape, day_rate = day_shape + calls, day_rate + expected * level
        total += day_shape * log1p(usual.expected(hours) / usual.burst / day_rate)
    return shape * log1p(total / rate)


def _evidence(usual: Usual, hours: Sequence[Hour]) -> tuple[float, float]:
    """Calls that came and calls that were expected, as if each came by itself."""
    calls = sum(hour.calls for hour in hours)
    return calls / usual.burst, usual.expected(hours) / usual.burst
