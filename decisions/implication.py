"""Whether conditions hold whenever others do, told from their texts alone.

Sound and not complete: what is claimed holds for every call, with unknown facts too. If the one
is true, so is the other; if the other is false, so is the one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import time
from typing import Any

from decisions.vocabulary import ASCII_LOWER
from decisions.words import fold
from decisions.zones import DAY, since_midnight

Conditions = Mapping[str, Any]


def imply(given: Sequence[Conditions], wanted: Conditions) -> bool:
    """Whether `wanted` is true whenever all of `given` are."""
    for number, conditions in enumerate(given):
        if "any" in conditions:
            rest = {name: asked for name, asked in conditions.items() if name != "any"}
            others = [*given[:number], rest, *given[number + 1 :]]
            return all(imply([*others, part], wanted) for part in conditions["any"])
    return all(_implies(given, name, asked) for name, asked in wanted.items())


def _implies(given: Sequence[Conditions], name: str, wanted: Any) -> bool:
    if name == "any":
        return any(imply(given, part) for part in wanted)
    asked = [conditions[name] for conditions in given if name in conditions]
    if name == "not":
        return any(imply([wanted], refused) for refused in asked)
    is_narrower = NARROWER.get(name, _equal)
    return any(is_narrower(narrow, wanted) for narrow in asked)


def _equal(narrow: Any, wide: Any) -> bool:
    return bool(narrow == wide)


def _subset(narrow: list[Any], wide: list[Any]) -> bool:
    return set(narrow) <= set(wide)


def _folded_subset(narrow: list[str], wide: list[str]) -> bool:
    return {fold(text) for text in narrow} <= {fold(text) for text in wide}


def _languages(narrow: list[str], wide: list[str]) -> bool:
    ranges = [f"{tag}-".translate(ASCII_LOWER) for tag in wide]
    return all(f"{tag}-".translate(ASCII_LOWER).startswith(tuple(ranges)) for tag in narrow)


def _prefixes(narrow: list[str], wide: list[str]) -> bool:
    return all(prefix.startswith(tuple(wide)) for prefix in narrow)


def _dates(narrow: Mapping[str, str], wide: Mapping[str, str]) -> bool:
    begins = wide.get("from", "0001-01-01") <= narrow.get("from", "0001-01-01")
    return begins and narrow.get("to", "9999-12-31") <= wide.get("to", "9999-12-31")


def _times(narrow: Mapping[str, str], wide: Mapping[str, str]) -> bool:
    return all(
        any(first <= begins and ends <= last for first, last in _spans(wide))
        for begins, ends in _spans(narrow)
    )


def _spans(asked: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Of a day, in microseconds: one, or two where it wraps at midnight."""
    begins, ends = (since_midnight(time.fromisoformat(asked[end])) for end in ("from", "to"))
    if begins == ends:
        yield 0, DAY
    elif begins < ends:
        yield begins, ends
    else:
        yield begins, DAY
        if ends:
            yield 0, ends


# Of the conditions that have a wider and a narrower form; of others the values have to be equal.
NARROWER: dict[str, Callable[[Any, Any], bool]] = {
    "intent": _folded_subset,
    "keywords": _folded_subset,
    "language": _languages,
    "caller_prefix": _prefixes,
    "day_of_week": _subset,
    "date": _dates,
    "time_of_day": _times,
}
