"""Decisions: is a line open, since when and until when, and which rule wins.

    python -m bench.decide

The calendar is that of a usual line: Monday to Friday, 09:00-12:00 and 13:00-17:00 in Berlin,
and ten special days, of which one has hours of its own.

- ours: is it open, since and until when, why, and by which row
- opening-hours-py: a parser of OpenStreetMap's opening hours, in Rust: is it open, until when
- dateutil: a rruleset of openings and one of closings: the one before and the one after the moment

"prepared" asks one object about all moments; "from rows" makes it anew for each. Last, the nights
in which Berlin's clocks change: at how many minutes an answer is that of the brute-force reading.
"""

import importlib
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bench.rows import Row, in_milliseconds, print_rows
from bench.timing import by_turns, median_ratio
from decisions.answer import as_document
from decisions.calendar import Calendar
from decisions.decision import decide, prepare
from decisions.hours import hours_at
from decisions.settings_document import line_settings
from decisions.situation import Facts
from tests.decisions import brute_force

Ask = Callable[[datetime], object]

ROUNDS = 9
MOMENTS = 1_000
ZONE = ZoneInfo("Europe/Berlin")
GREENWICH = ZoneInfo("UTC")  # the Rust parser takes no other kind of UTC
DAYS = [date(2026, 12, 22) + timedelta(days=number) for number in range(10)]
SHORT_DAY = DAYS[2]
EXPRESSION = "Mo-Fr 09:00-12:00,13:00-17:00; 2026 Dec 22-31 off; 2026 Dec 24 09:00-12:00"
NIGHTS = [
    datetime(2026, 3, 28, 22, tzinfo=GREENWICH),
    datetime(2026, 10, 24, 22, tzinfo=GREENWICH),
]
FACTS: Facts = {
    "caller": "+493012345678",
    "language": "de-DE",
    "first_time_caller": True,
    "said": "Guten Tag, ich hätte gern einen Termin am Montag, wenn es geht. " * 5,
}
CONDITIONS: list[dict[str, Any]] = [
    {"urgency": "emergency", "outside_business_hours": True},
    {"not": {"time_of_day": {"from": "12:00", "to": "13:00"}}, "language": ["fr"]},
    {"any": [{"language": ["it"]}, {"intent": ["book"]}]},
    {"keywords": ["appointment", "Rendez-vous", "Rechnung"]},
    {"caller_prefix": ["+4940"], "sentiment": "negative"},
    {"date": {"from": "2026-12-24", "to": "2026-12-26"}},
    {"day_of_week": [0, 6], "first_time_caller": True},
]


def rows(calls: int) -> Iterator[Row]:
    """Without the database, and whatever the number of calls."""
    moments = [*some_moments(random.Random(1))]  # noqa: S311
    yield from compare("prepared", moments, prepared_calendars())
    yield from compare("from rows", moments[:100], rebuilt_calendars())
    yield from decisions(moments[:100])
    yield from nights()


def some_moments(source: random.Random) -> Iterator[datetime]:
    first = datetime(2026, 6, 1, tzinfo=GREENWICH)
    for _ in range(MOMENTS):
        yield first + timedelta(seconds=source.randrange(300 * 86_400))


def document() -> dict[str, Any]:
    """The settings of the line, in the form of the contract's vectors."""
    keys = map(str, map(UUID, (f"{number:032x}" for number in range(100))))
    morning = {"open_time": "09:00:00", "close_time": "12:00:00"}
    evening = {"open_time": "13:00:00", "close_time": "17:00:00"}
    row = {"timezone": "Europe/Berlin", "is_closed": False}
    return {
        "timezone": "Europe/Berlin",
        "business_hours": [
            {"id": next(keys), "day_of_week": day, **morning, **row} for day in range(1, 6)
        ],
        "business_hours_intervals": [
            {"id": next(keys), "day_of_week": day, **evening} for day in range(1, 6)
        ],
        "special_days": [
            {
                "id": next(keys),
                "date": str(day),
                "label": "",
                "is_closed": day != SHORT_DAY,
                "intervals": [morning] if day == SHORT_DAY else [],
            }
            for day in DAYS
        ],
        "conversation_rules": [
            {
                "id": next(keys),
                "rule_type": ["greeting", "routing", "transfer", "hours"][number % 4],
                "conditions": CONDITIONS[number % len(CONDITIONS)],
                "priority": -number,
                "is_active": True,
                "created_at": "2026-01-05T08:00:00Z",
            }
            for number in range(20)
        ],
    }


SETTINGS = line_settings(document())


def ours() -> Ask:
    return partial(hours_at, Calendar(SETTINGS))


def of_openstreetmap() -> Ask:
    hours = importlib.import_module("opening_hours").OpeningHours(EXPRESSION, timezone=ZONE)
    return lambda moment: (hours.is_open(moment), hours.next_change(moment))


def of_dateutil() -> Ask:
    openings, closings = rule_set(time(9), time(13)), rule_set(time(12), time(17))

    def ask(moment: datetime) -> object:
        return [
            (found.before(moment, inc=True), found.after(moment)) for found in (openings, closings)
        ]

    return ask


def rule_set(morning: time, evening: time) -> Any:
    rrule = importlib.import_module("dateutil.rrule")
    found = rrule.rruleset(cache=True)
    for clock in (morning, evening):
        start = datetime.combine(date(2026, 5, 25), clock, ZONE)
        found.rrule(rrule.rrule(rrule.DAILY, dtstart=start, byweekday=range(5)))
        for day in DAYS:
            if (day, clock) != (SHORT_DAY, morning):
                found.exdate(datetime.combine(day, clock, ZONE))
    return found


MAKERS: Mapping[str, Callable[[], Ask]] = {
    "ours": ours,
    "opening-hours-py": of_openstreetmap,
    "dateutil": of_dateutil,
}


# Rust may be three times as fast as Python. It gives no reason and is wrong when clocks change.
TARGETS = {"opening-hours-py": ">= 0.33", "dateutil": ">= 10"}


def prepared_calendars() -> dict[str, Ask]:
    return {name: make() for name, make in MAKERS.items()}


def rebuilt_calendars() -> dict[str, Ask]:
    def rebuilt(make: Callable[[], Ask]) -> Ask:
        return lambda moment: make()(moment)

    return {name: rebuilt(make) for name, make in MAKERS.items()}


def compare(way: str, moments: list[datetime], askers: Mapping[str, Ask]) -> Iterator[Row]:
    acts = {name: partial(ask_all, ask, moments) for name, ask in askers.items()}
    taken = by_turns(acts, rounds=ROUNDS)
    for peer in [*askers][1:]:
        yield Row(
            work=f"open or closed at {len(moments):,} moments, {way}",
            peer=peer,
            ours=in_milliseconds(taken["ours"]),
            theirs=in_milliseconds(taken[peer]),
            ratio=median_ratio(taken[peer], taken["ours"]),
            target=TARGETS[peer],
        )


def ask_all(ask: Ask, moments: list[datetime]) -> None:
    for moment in moments:
        ask(moment)


def decisions(moments: list[datetime]) -> Iterator[Row]:
    """Whole decisions, each of which may take 0.2 ms where nothing else runs."""
    prepared = prepare(SETTINGS)
    ways: dict[str, Ask] = {
        "prepared": lambda moment: decide(prepared, at=moment, facts=FACTS),
        "from rows": lambda moment: decide(SETTINGS, at=moment, facts=FACTS),
        "from rows, as JSON": lambda moment: as_document(decide(SETTINGS, at=moment, facts=FACTS)),
    }
    acts = {way: partial(ask_all, ask, moments) for way, ask in ways.items()}
    for way, seconds in by_turns(acts, rounds=ROUNDS).items():
        yield Row(
            work=f"{len(moments)} decisions with 20 rules, {way}",
            peer="",
            ours=in_milliseconds(seconds),
            note="each may take 0.2 ms where nothing else runs",
        )


def nights() -> Iterator[Row]:
    """A line that is open until 02:15, and from 02:30 to 02:45: hours that come twice or never."""
    clocks = [(6, "22:00", "02:15"), (0, "02:30", "02:45")]
    settings = {
        "timezone": ZONE.key,
        "business_hours": [],
        "business_hours_intervals": [
            {
                "id": str(UUID(int=day)),
                "day_of_week": day,
                "open_time": opens,
                "close_time": closes,
            }
            for day, opens, closes in clocks
        ],
        "special_days": [],
        "conversation_rules": [],
    }
    parser = importlib.import_module("opening_hours").OpeningHours
    theirs = parser("Sa 22:00-02:15, Su 02:30-02:45", timezone=ZONE)
    calendar = Calendar(line_settings(settings))
    agreeing = {"ours": 0, "theirs": 0}
    for night in NIGHTS:
        week = timedelta(days=9)
        openings = brute_force.openings(settings, night.date() - week, night.date() + week)
        for minute in range(480):
            at = night + timedelta(minutes=minute)
            hours = brute_force.hours_at(settings, openings, at)
            expected = hours["is_open"], datetime.fromisoformat(hours["until"])
            found = hours_at(calendar, at)
            agreeing["ours"] += (found.is_open, found.until) == expected
            agreeing["theirs"] += (theirs.is_open(at), theirs.next_change(at)) == expected
    yield Row(
        work="state and next change at 960 minutes of the two nights when clocks change, right",
        peer="opening-hours-py",
        ours=str(agreeing["ours"]),
        theirs=str(agreeing["theirs"]),
    )


if __name__ == "__main__":
    print_rows(rows(0))
