"""Contenders by turns, so that what the machine does meanwhile falls on all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

WARM_UP = 3  # rounds that do not count


def by_turns(
    acts: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    begin: Callable[[], object] = lambda: None,
) -> dict[str, list[float]]:
    """Seconds of each, round by round; each round begins with `begin` and then another one."""
    taken: dict[str, list[float]] = {name: [] for name in acts}
    names = list(acts)
    for turn in range(rounds + WARM_UP):
        begin()
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            begun = time.perf_counter()
            acts[name]()
            if turn >= WARM_UP:
                taken[name].append(time.perf_counter() - begun)
    return taken


def median_ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """Of the times of the same round, which a machine that is busy meanwhile hardly moves."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))
