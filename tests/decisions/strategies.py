"""Settings, moments and facts for property tests, as JSON in the form of vectors.jsonl."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.decisions.brute_force import pieces

Json = dict[str, Any]

ZONES = [
    *("UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns"),
    *("America/Nuuk", "America/Santiago", "America/Havana", "Africa/Casablanca", "Africa/Cairo"),
    *("Antarctica/Troll", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati"),
    *("Asia/Kathmandu", "Pacific/Pago_Pago"),
]
CLOCKS = [
    *("00:00:00", "00:30:00", "01:00:00", "01:30:00", "02:00:00", "02:15:00", "02:30:00"),
    *("03:00:00", "06:00:00", "09:00:00", "12:00:00", "13:00:00", "17:00:00", "18:00:00"),
    *("22:00:00", "23:00:00", "23:30:00", "23:59:59", "23:59:59.999999"),
]
# Letters, marks, signs and white space that fold or bound words in different ways.
SIGNS = [
    *("a", "A", "b", "ä", "a\u0308", "ß", "SS", "İ", "i", "ﬁ", "Σ", "ς", "1", "'", "\u2019", "-"),
    *(" ", "  ", "\u00a0", "\n", ".", "中", "か", "カ", "ー", "ก", "\u0e34", "ລ", "ក", "က", "한"),
    *("\u1112\u1161\u11ab", "क", "\u093e", "😀", "\ufe0f", "\u200d", "\u0301"),
]
RULE_TYPES = ["greeting", "routing", "transfer", "hours"]
URGENCIES = ["low", "normal", "high", "emergency"]
SENTIMENTS = ["negative", "neutral", "positive"]
INTENTS = ["book", "BOOK", "book ", "straße", "STRASSE", "ask a price"]
TAGS = ["en", "en-GB", "fi", "fil", "zh-Hant", "zh-Hant-TW", "es-419"]

clocks = st.sampled_from(CLOCKS) | st.times().map(lambda clock: clock.isoformat())
minutes = st.times().map(lambda clock: clock.strftime("%H:%M"))
ids = st.integers(1, 2**128 - 1).map(lambda number: str(UUID(int=number)))
texts = st.lists(st.sampled_from(SIGNS), max_size=14).map("".join)
phrases = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=3).map("".join)


def some(values: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=most)


def changes(zone: str) -> list[datetime]:
    """When the zone's clocks change, or anything else if they do not."""
    found = [piece.start for year in (2026, 2027) for piece in pieces(zone, year)[1:]]
    return found or [datetime(2026, 3, 29, 1, tzinfo=UTC)]


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    """Mostly within two days of a change of clocks."""
    near = draw(st.sampled_from(changes(zone)))
    days = draw(st.integers(-2, 2) | st.integers(-60, 60))
    part = draw(
        st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(hours=1)])
        | st.timedeltas(timedelta(hours=-12), timedelta(hours=12))
    )
    return near + timedelta(days=days) + part


def intervals() -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"open_time": clocks, "close_time": clocks})


@st.composite
def hours(draw: st.DrawFn, zone: str, around: date) -> Json:
    """Weekly rows, further intervals, and special days within a week of the date."""
    zones = st.just(zone) | st.sampled_from(ZONES)
    numbers = draw(st.sets(st.integers(0, 6)))
    row = {"is_closed": st.sampled_from([False, False, False, True]), "timezone": zones}
    dates = draw(st.sets(st.integers(-7, 7), max_size=4))
    return {
        "timezone": zone,
        "business_hours": [
            draw(intervals()) | draw(st.fixed_dictionaries(row | {"id": ids})) | {"day_of_week": n}
            for n in sorted(numbers)
        ],
        "business_hours_intervals": [
            draw(intervals()) | {"id": draw(ids), "day_of_week": draw(st.integers(0, 6))}
            for _ in range(draw(st.integers(0, 4)))
        ],
        "special_days": [
            {
                "id": draw(ids),
                "date": (around + timedelta(days=number)).isoformat(),
                "is_closed": draw(st.booleans()),
                "intervals": draw(st.lists(intervals(), max_size=2)),
                "label": "",
            }
            for number in sorted(dates)
        ],
        "conversation_rules": [],
    }


def conditions(around: date) -> st.SearchStrategy[Json]:
    """What the schema of rules accepts."""
    dates = st.integers(-2, 2).map(lambda number: (around + timedelta(days=number)).isoformat())
    leaf = {
        "first_time_caller": st.booleans(),
        "asks_for_person": st.booleans(),
        "outside_business_hours": st.booleans(),
        "urgency": st.sampled_from(URGENCIES),
        "sentiment": st.sampled_from(SENTIMENTS),
        "intent": some(st.sampled_from(INTENTS)),
        "keywords": some(phrases),
        "language": some(st.sampled_from(TAGS)),
        "caller_prefix": some(st.sampled_from(["+4", "+49", "+4930", "+1"])),
        "day_of_week": st.lists(st.integers(0, 6), min_size=1, max_size=5, unique=True),
        "date": st.fixed_dictionaries({"from": dates}, optional={"to": dates}).filter(
            lambda asked: asked["from"] <= asked.get("to", "9999")
        )
        | st.fixed_dictionaries({"to": dates}),
        "time_of_day": st.fixed_dictionaries({"from": minutes, "to": minutes}),
    }
    leaves = few(leaf)
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda values, more: {**values, **more},
            leaves,
            st.fixed_dictionaries({}, optional={"any": some(inner), "not": inner}),
        ),
        max_leaves=6,
    )


def few(named: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Json]:
    """Some of the names, at most three, in any order."""
    names = st.lists(st.sampled_from(sorted(named)), max_size=3, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({n: named[n] for n in chosen}))


@st.composite
def rules(draw: st.DrawFn, around: date) -> list[Json]:
    created = [
        "2026-01-05T08:00:00+00:00",
        "2026-01-05T09:00:00+01:00",
        "2026-01-04T23:00:00-05:00",
    ]
    row = {
        "id": ids,
        "rule_type": st.sampled_from(RULE_TYPES),
        "conditions": conditions(around),
        "priority": st.integers(-1, 1),
        "is_active": st.sampled_from([True, True, True, False]),
        "created_at": st.sampled_from(created),
    }
    found = st.lists(st.fixed_dictionaries(row), max_size=6, unique_by=lambda rule: rule["id"])
    return draw(found)


def facts() -> st.SearchStrategy[Json]:
    """Each known, null or absent."""
    named: dict[str, st.SearchStrategy[Any]] = {
        "caller": st.sampled_from(["+4930123", "+14155550123", "+81312345678"]),
        "first_time_caller": st.booleans(),
        "asks_for_person": st.booleans(),
        "urgency": st.sampled_from(URGENCIES),
        "sentiment": st.sampled_from(SENTIMENTS),
        "intent": st.sampled_from([*INTENTS, "something else"]),
        "said": texts,
        "language": st.sampled_from([*TAGS, "EN-us", "fil-PH", "zh"]),
    }
    return st.fixed_dictionaries({}, optional={n: st.none() | each for n, each in named.items()})


@st.composite
def lines(draw: st.DrawFn) -> tuple[Json, datetime]:
    """A line with hours and without rules, and a moment."""
    zone = draw(st.sampled_from(ZONES))
    at = draw(moments(zone))
    return draw(hours(zone, at.date())), at


@st.composite
def calls(draw: st.DrawFn) -> tuple[Json, datetime, Json]:
    """A line with few hours and some rules, a moment, and what is known of a call."""
    zone = draw(st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati"]))
    at = draw(moments(zone))
    opens = {"id": str(UUID(int=1)), "open_time": "09:00:00", "close_time": "02:00:00"}
    further = [opens | {"day_of_week": number} for number in draw(st.sets(st.integers(0, 6)))]
    settings = {
        "timezone": zone,
        "business_hours": [],
        "business_hours_intervals": further,
        "special_days": [],
        "conversation_rules": draw(rules(at.date())),
    }
    return settings, at, draw(facts())
