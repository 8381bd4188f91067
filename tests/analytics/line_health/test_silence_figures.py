"""How soon a cut is found, and how many alarms are false, on made-up lines of all volumes."""

from math import log
from random import Random
from statistics import median

import pytest

from analytics.line_health.silence import WATCHED_AT, State, judge
from analytics.line_health.usual import Hour, learn
from tests.analytics.line_health.synthetic import (
    CHANCE_ALONE,
    LIFELIKE,
    VOLUMES,
    Kind,
    measure,
)

STEP = 0.2  # calls, to which a moment is looked for


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(CHANCE_ALONE, marks=pytest.mark.rounds(4, soak=36), id="chance"),
        pytest.param(LIFELIKE, marks=pytest.mark.rounds(4, soak=200), id="lifelike"),
    ],
)
def test_a_cut_is_found_with_less_than_one_false_alarm_a_year(kind: Kind, rounds: int) -> None:
    """The small form leaves out lines of many calls, which take long."""
    volumes = VOLUMES if rounds > len(VOLUMES) else VOLUMES[:-1:2]
    lines = [
        measure(Random(f"line {number}"), volumes[number % len(volumes)], kind)
        for number in range(rounds)
    ]
    assert sum(line.alarms for line in lines) < len(lines)
    # Watched within the time of three calls, whatever the volume.
    noticed = [delay for line in lines for delay in line.notices]
    assert all(delay is not None and delay <= WATCHED_AT + STEP for delay in noticed)
    for volume in set(volumes):
        some = [line for line in lines if line.calls_a_day == volume]
        if rounds > len(VOLUMES):
            assert sum(line.alarms for line in some) < len(some), volume
        # Quiet after as many as it takes to rule out chance: more where there are more silences.
        delays = [delay for line in some for delay in line.delays]
        assert median(delay for delay in delays if delay is not None) < 2 * log(365 * volume)
        assert delays.count(None) <= len(delays) / 20, volume


def steady(days: int, calls_an_hour: int) -> list[Hour]:
    return [
        Hour(day, day % 7 * 24 + hour, 1, calls_an_hour)
        for day in range(days)
        for hour in range(9, 17)
    ]


def test_calls_at_the_usual_level_of_late_are_evidence() -> None:
    """After a week at half the calls a silence surprises less."""
    usual = learn(steady(56, 4))
    assert usual is not None
    since = [Hour(60, 60 % 7 * 24 + hour, 1) for hour in range(9, 17)]
    before = steady(60, 4)[-56:]
    slow = [hour._replace(calls=2) for hour in before]
    as_usual, after_slow = (judge(usual, before=week, since=since) for week in (before, slow))
    assert as_usual.expected == after_slow.expected == pytest.approx(32)
    assert after_slow.surprise < 0.75 * as_usual.surprise


def test_days_without_a_call_are_not_learned_from() -> None:
    hours = steady(56, 4)
    cut = [hour._replace(calls=0) if hour.day in (30, 31, 32) else hour for hour in hours]
    usual, cut_off = learn(hours), learn(cut)
    assert usual
    assert cut_off
    assert cut_off.rates == pytest.approx(usual.rates)


def test_too_little_history_is_no_baseline() -> None:
    assert learn([]) is None
    assert learn(steady(14, 4)) is None
    assert learn(steady(60, 0)) is None
    assert learn(steady(16, 4)) is not None


def test_three_missing_calls_are_watched() -> None:
    usual = learn(steady(56, 1))
    assert usual is not None
    hours = [Hour(60, 60 % 7 * 24 + hour, 1) for hour in range(9, 17)]
    states = [judge(usual, before=[], since=hours[:number]).state for number in (2, 3, 8)]
    assert states == [State.NORMAL, State.WATCHED, State.WATCHED]
