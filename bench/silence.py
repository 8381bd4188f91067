"""The alarm of quiet lines: how soon it finds a cut, and how often it is wrong; uses no database.

    python -m bench.silence             # 45 lines
    python -m bench.silence --lines 200

A year of calls of made-up lines, from one a week to 500 a day (tests/analytics/line_health/
synthetic.py), and three cuts of each. "chance": calls come at random. "lifelike": days and weeks
differ too, four weeks a year have half the calls, there are trends and callers who call again.

- ours: false alarms of a line in a year, and the usual calls from a cut to its alarm
- three missing calls: an alarm as soon as three expected calls did not come
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from statistics import fmean, median

from bench.rows import Row, percentile, print_rows
from tests.analytics.line_health.synthetic import (
    CHANCE_ALONE,
    LIFELIKE,
    VOLUMES,
    Outcome,
    measure,
)

KINDS = {"chance": CHANCE_ALONE, "lifelike": LIFELIKE}
PEER = "three missing calls"
LINES = 45


def rows(calls: int = 0, *, lines: int = LINES) -> Iterator[Row]:
    each = -(-lines // len(VOLUMES))
    for name, kind in KINDS.items():
        every: list[Outcome] = []
        for volume in VOLUMES:
            some = [
                measure(Random(f"{name} {number}"), volume, kind)  # noqa: S311
                for number in range(each)
            ]
            every += some
            yield _row(f"{name}, {_volume(volume)}", some)
        yield _row(f"{name}, all {len(every)} lines", every)


def _volume(calls_a_day: float) -> str:
    return f"{calls_a_day:g} calls a day" if calls_a_day >= 1 else f"{7 * calls_a_day:.0f} a week"


def _row(work: str, lines: Sequence[Outcome]) -> Row:
    alarms = fmean(line.alarms for line in lines)
    watches = fmean(line.watches for line in lines)
    hours = [hour for line in lines for hour in line.hours]
    return Row(
        work=work,
        peer=PEER,
        ours=f"{alarms:.2f} false alarms; found after {_calls(line.delays for line in lines)},"
        f" {median(hours):.1f} h",
        theirs=f"{watches:,.1f} false alarms; found after {_calls(x.notices for x in lines)}",
        note=f"at most {max(line.alarms for line in lines)} of one line",
    )


def _calls(delays: Iterable[Sequence[float | None]]) -> str:
    """Median and 90th percentile."""
    every = [delay for of_line in delays for delay in of_line]
    found = [delay for delay in every if delay is not None]
    never = f", {len(every) - len(found)} of {len(every)} never" if None in every else ""
    return f"{median(found):.1f} calls (p90 {percentile(found, 0.9):.1f}{never})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.silence")
    parser.add_argument("--lines", type=int, default=LINES)
    print_rows(rows(lines=parser.parse_args().lines))
