"""What each condition means. A test of a condition takes a situation and gives its value."""

import string
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

from decisions.situation import Situation
from decisions.truth import Truth
from decisions.words import fold, occurs
from decisions.zones import since_midnight, to_day

Test = Callable[[Situation], Truth]

# The facts that conditions ask about, where the two have different names.
FACTS = {"keywords": "said", "caller_prefix": "caller"}
ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def _of_fact(name: str, holds: Callable[[Situation, Any], bool]) -> Test:
    def test(situation: Situation) -> Truth:
        if name not in situation.known:
            return "unknown"
        return "true" if holds(situation, situation.known[name]) else "false"

    return test


def _of_moment(holds: Callable[[Situation], bool]) -> Test:
    return lambda situation: "true" if holds(situation) else "false"


def _equal(fact: str) -> Callable[[Any], Test]:
    return lambda asked: _of_fact(fact, lambda _, known: bool(known == asked))


def _intent(asked: list[str]) -> Test:
    intents = {fold(intent) for intent in asked}
    return _of_fact("intent", lambda situation, _: situation.intent in intents)


def _keywords(asked: list[str]) -> Test:
    phrases = [fold(phrase) for phrase in asked]
    return _of_fact(FACTS["keywords"], lambda situation, _: _is_one_in(phrases, situation.text))


def _is_one_in(phrases: list[str], text: str) -> bool:
    return any(occurs(phrase, text) for phrase in phrases)


def _language(asked: list[str]) -> Test:
    """Basic filtering of RFC 4647."""
    tags = {tag.translate(ASCII_LOWER) for tag in asked}
    beginnings = tuple(f"{tag}-" for tag in tags)

    def holds(_: Situation, known: str) -> bool:
        tag = known.translate(ASCII_LOWER)
        return tag in tags or tag.startswith(beginnings)

    return _of_fact("language", holds)


def _caller_prefix(asked: list[str]) -> Test:
    prefixes = tuple(asked)

    def holds(_: Situation, known: str | None) -> bool:
        return known is not None and known.startswith(prefixes)

    return _of_fact(FACTS["caller_prefix"], holds)


def _outside_business_hours(asked: bool) -> Test:
    """Where no hours are set it is never outside of them."""
    return _of_moment(lambda situation: (situation.is_open is False) is asked)


def _day_of_week(asked: list[int]) -> Test:
    days = frozenset(asked)
    return _of_moment(lambda situation: situation.weekday in days)


def _date(asked: Mapping[str, str]) -> Test:
    first, last = (
        to_day(date.fromisoformat(asked[end])) if end in asked else None for end in ("from", "to")
    )
    return _of_moment(
        lambda situation: (
            (first is None or first <= situation.day) and (last is None or situation.day <= last)
        )
    )


def _time_of_day(asked: Mapping[str, str]) -> Test:
    """From is included, to is not. Wraps at midnight if from is after to; equal is all day."""
    first, last = (since_midnight(time.fromisoformat(asked[end])) for end in ("from", "to"))
    if first < last:
        return _of_moment(lambda situation: first <= situation.time_of_day < last)
    return _of_moment(lambda situation: not last <= situation.time_of_day < first)


TESTS: dict[str, Callable[[Any], Test]] = {
    "first_time_caller": _equal("first_time_caller"),
    "asks_for_person": _equal("asks_for_person"),
    "urgency": _equal("urgency"),
    "sentiment": _equal("sentiment"),
    "intent": _intent,
    "keywords": _keywords,
    "language": _language,
    "caller_prefix": _caller_prefix,
    "outside_business_hours": _outside_business_hours,
    "day_of_week": _day_of_week,
    "date": _date,
    "time_of_day": _time_of_day,
}
"""By the name of the condition: a function of what the rule asks, which returns the test."""
