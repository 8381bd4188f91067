"""The contract of decisions/ read literally and slowly, from JSON, sharing no code with it.

Wall times become instants by looking at every piece of a zone's history between two changes of
its clocks. Openness is the union of all intervals of all dates within 402 days. Truth is a number:
1 true, -1 false, 0 unknown.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Json = Mapping[str, Any]

HORIZON = timedelta(days=400)
DAY = timedelta(days=1)
TYPES = ("greeting", "routing", "transfer", "hours")
TRUTHS = {1: "true", 0: "unknown", -1: "false"}


@dataclass(frozen=True)
class Piece:
    """The clock differs from UTC by the offset in [start, end)."""

    start: datetime
    end: datetime
    offset: timedelta


@dataclass(frozen=True)
class Opening:
    open: datetime
    close: datetime
    table: str
    id: str

    def holds(self, at: datetime) -> bool:
        return self.open <= at < self.close


def answer(settings: Json, at: datetime, facts: Json) -> dict[str, Any]:
    at = at.astimezone(UTC)
    first, last = at.date() - timedelta(days=402), at.date() + timedelta(days=402)
    hours = hours_at(settings, openings(settings, first, last), at)
    rules = sorted(settings["conversation_rules"], key=turn)
    values = {
        rule["id"]: value_of_all(rule["conditions"], at, facts, settings, hours) for rule in rules
    }
    trace = [
        {
            "id": rule["id"],
            "rule_type": rule["rule_type"],
            "result": result_of(rule, rules, values, hours),
            **shown(values[rule["id"]]),
        }
        for rule in rules
    ]
    return {
        "hours": hours,
        "decisions": {kind: decision(kind, trace, values) for kind in TYPES},
        "trace": trace,
    }


# Section 2: from rows to intervals.


@cache
def pieces(zone: str, year: int) -> list[Piece]:
    """The pieces of a year and the ten days around it, found by looking at the clock."""
    clock = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        found = moment.astimezone(clock).utcoffset()
        assert found is not None
        return found

    start = datetime(year, 1, 1, tzinfo=UTC) - 10 * DAY
    looks = [start + number * DAY for number in range(386)]
    changes = []
    for before, after in pairwise(looks):
        same, other = before, after
        while offset(before) != offset(after) and other - same > timedelta(seconds=1):
            middle = same + timedelta(seconds=(other - same) // timedelta(seconds=2))
            same, other = (middle, other) if offset(middle) == offset(before) else (same, middle)
        if offset(before) != offset(after):
            changes.append(other)
    edges = [looks[0], *changes, looks[-1]]
    return [Piece(start, end, offset(start)) for start, end in pairwise(edges)]


def instants(zone: str, wall: datetime) -> list[datetime]:
    """Those at which the clock shows the wall time; the transition if it skips it."""
    found = pieces(zone, wall.year)
    utc = wall.replace(tzinfo=UTC)
    at = [utc - piece.offset for piece in found if piece.start <= utc - piece.offset < piece.end]
    return at or [
        after.start
        for before, after in pairwise(found)
        if after.start + before.offset <= utc < after.start + after.offset
    ]


def interval(zone: str, day: date, row: Json, table: str, key: str) -> Opening:
    opens, closes = time.fromisoformat(row["open_time"]), time.fromisoformat(row["close_time"])
    end = day if closes > opens else day + DAY
    return Opening(
        open=min(instants(zone, datetime.combine(day, opens))),
        close=max(instants(zone, datetime.combine(end, closes))),
        table=table,
        id=key,
    )


def weekday(day: date) -> int:
    return day.isoweekday() % 7


def openings(settings: Json, first: date, last: date) -> list[Opening]:
    """All intervals that begin on these dates, in whatever zone."""
    days = [first + number * DAY for number in range((last - first).days + 1)]
    return [each for day in days for each in begin_on(settings, day) if each.open < each.close]


def begin_on(settings: Json, day: date) -> Iterator[Opening]:
    line = settings["timezone"]
    special = {date.fromisoformat(row["date"]): row for row in settings["special_days"]}
    if day in special and not special[day]["is_closed"]:
        for part in special[day]["intervals"]:
            yield interval(line, day, part, "special_days", special[day]["id"])
    rows = [row for row in settings["business_hours"] if row["day_of_week"] == weekday(day)]
    if any(row["is_closed"] for row in rows):
        return
    for row in rows:
        found = interval(row["timezone"], day, row, "business_hours", row["id"])
        is_own = row["timezone"] == line
        begins = day if is_own else found.open.astimezone(ZoneInfo(line)).date()
        if begins not in special:
            yield found
    for row in settings["business_hours_intervals"]:
        if row["day_of_week"] == weekday(day) and day not in special:
            yield interval(line, day, row, "business_hours_intervals", row["id"])


def union(found: Iterable[Opening]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for each in sorted(found, key=lambda one: one.open):
        if merged and each.open <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], each.close))
        else:
            merged.append((each.open, each.close))
    return merged


# Section 3: hours at the moment.


def hours_at(settings: Json, found: list[Opening], at: datetime) -> dict[str, Any]:
    tables = ("business_hours", "business_hours_intervals", "special_days")
    if not any(settings[table] for table in tables):
        return dict.fromkeys(("is_open", "since", "until", "decided_by")) | {"reason": "not_set"}
    edges = [edge for stretch in union(found) for edge in stretch]
    reason, table, key = why(settings, found, at)
    return {
        "is_open": any(each.holds(at) for each in found),
        "since": written(
            max((edge for edge in edges if at - HORIZON <= edge <= at), default=None)
        ),
        "until": written(min((edge for edge in edges if at < edge <= at + HORIZON), default=None)),
        "reason": reason,
        "decided_by": {"table": table, "id": key} if key else None,
    }


def why(settings: Json, found: list[Opening], at: datetime) -> tuple[str, str, str]:
    holding = [each for each in found if each.holds(at)]
    order = ["special_days", "business_hours", "business_hours_intervals"]
    if holding:
        last = max(each.open for each in holding)
        decides = min(
            (order.index(each.table), each.id, each) for each in holding if each.open == last
        )[2]
        is_special = decides.table == "special_days"
        return "special_day" if is_special else "weekly", decides.table, decides.id
    day = at.astimezone(ZoneInfo(settings["timezone"])).date()
    for row in settings["special_days"]:
        if row["date"] == day.isoformat():
            return "special_day", "special_days", row["id"]
    for row in settings["business_hours"]:
        if row["day_of_week"] == weekday(day):
            return "closed_day" if row["is_closed"] else "weekly", "business_hours", row["id"]
    further = [
        (row["open_time"], row["close_time"], row["id"])
        for row in settings["business_hours_intervals"]
        if row["day_of_week"] == weekday(day)
    ]
    if further:
        return "weekly", "business_hours_intervals", min(further)[2]
    return "no_hours_that_day", "", ""


def written(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


# Section 4: conditions. A value is a number, or a number with what it was made of.


@dataclass(frozen=True)
class Composed:
    number: int
    of: Any  # dict: all of these; list: any of these; Composed: not this


def number_of(value: "int | Composed") -> int:
    return value if isinstance(value, int) else value.number


def value_of_all(asked: Json, at: datetime, facts: Json, settings: Json, hours: Json) -> Composed:
    clock = at.astimezone(ZoneInfo(settings["timezone"]))
    values: dict[str, int | Composed] = {}
    for name, wanted in asked.items():
        if name == "any":
            parts = [value_of_all(part, at, facts, settings, hours) for part in wanted]
            values[name] = Composed(max(part.number for part in parts), parts)
        elif name == "not":
            part = value_of_all(wanted, at, facts, settings, hours)
            values[name] = Composed(-part.number, part)
        elif name in OF_MOMENT:
            values[name] = 1 if OF_MOMENT[name](wanted, clock, hours["is_open"]) else -1
        else:
            values[name] = value_of_fact(name, wanted, facts)
    return Composed(min([1, *map(number_of, values.values())]), values)


def value_of_fact(name: str, wanted: Any, facts: Json) -> int:
    fact = fact_of(name)
    if fact not in facts or (facts[fact] is None and fact != "caller"):
        return 0
    if name not in OF_FACT:
        return 1 if facts[fact] == wanted else -1
    return 1 if any(OF_FACT[name](each, facts[fact]) for each in wanted) else -1


def is_in_dates(wanted: Json, clock: datetime, _: bool | None) -> bool:
    today = clock.date().isoformat()
    return bool(wanted.get("from", "0000") <= today <= wanted.get("to", "9999-99"))


def is_in_times(wanted: Json, clock: datetime, _: bool | None) -> bool:
    now, first, last = clock.strftime("%H:%M"), str(wanted["from"]), str(wanted["to"])
    if first == last:
        return True
    return first <= now < last if first < last else (now >= first or now < last)


def speaks(wanted: str, tag: str) -> bool:
    asked, spoken = (text.encode().lower().split(b"-") for text in (wanted, tag))
    return spoken[: len(asked)] == asked


def fact_of(name: str) -> str:
    return {"keywords": "said", "caller_prefix": "caller"}.get(name, name)


OF_MOMENT: dict[str, Callable[[Any, datetime, bool | None], bool]] = {
    "outside_business_hours": lambda wanted, _, is_open: (is_open is False) == wanted,
    "day_of_week": lambda wanted, clock, _: weekday(clock.date()) in wanted,
    "date": is_in_dates,
    "time_of_day": is_in_times,
}
OF_FACT: dict[str, Callable[[Any, Any], bool]] = {
    "intent": lambda wanted, fact: folded(wanted) == folded(fact),
    "keywords": lambda wanted, fact: is_spoken(wanted, fact),
    "language": speaks,
    "caller_prefix": lambda wanted, fact: fact is not None and fact[: len(wanted)] == wanted,
}


# Section 5: words.


def folded(text: str) -> str:
    text = unicodedata.normalize("NFC", text.replace("\u2019", "'"))
    text = unicodedata.normalize("NFC", text.casefold())
    spaced = "".join(" " if character.isspace() else character for character in text)
    while "  " in spaced:
        spaced = spaced.replace("  ", " ")
    return spaced.strip(" ")


def is_spoken(phrase: str, text: str) -> bool:
    phrase, text = folded(phrase), folded(text)
    ends = [place for place in range(len(text) + 1) if is_end_of_word(text, place)]
    return bool(phrase) and any(
        text[start:end] == phrase for start in ends for end in ends if end - start == len(phrase)
    )


def is_end_of_word(text: str, place: int) -> bool:
    around = text[max(place - 1, 0) : place + 1]
    if place == 0 or place == len(text):
        return True
    kinds = [unicodedata.category(character)[0] for character in around]
    names = [unicodedata.name(character, "?") for character in around]
    if kinds[1] == "M":
        return False
    if any(name.startswith(script) for name in names for script in SCRIPTS):
        return True
    return not all(kind in ("L", "M", "N") for kind in kinds)


SCRIPTS = ["CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA"]
SCRIPTS += ["THAI", "LAO", "KHMER", "MYANMAR"]


# Section 6: rules.


def turn(rule: Json) -> tuple[int, datetime, str]:
    return -rule["priority"], datetime.fromisoformat(rule["created_at"]), rule["id"]


def result_of(rule: Json, rules: list[Json], values: Json, hours: Json) -> str:
    if not rule["is_active"]:
        return "inactive"
    earlier = rules[: rules.index(rule)]
    if any(
        values[other["id"]].number == 1
        for other in earlier
        if other["is_active"] and other["rule_type"] == rule["rule_type"]
    ):
        return "not_reached"
    if values[rule["id"]].number == 1:
        counts = rule["rule_type"] != "hours" or hours["is_open"] is False
        return "won" if counts else "not_applicable"
    return {0: "pending", -1: "false"}[values[rule["id"]].number]


def decision(kind: str, trace: list[dict[str, Any]], values: Json) -> dict[str, Any]:
    won = [rule["id"] for rule in trace if (rule["rule_type"], rule["result"]) == (kind, "won")]
    return {
        "winner": won[0] if won else None,
        "pending": [
            {"id": rule["id"], "waits_for": sorted({*missing(values[rule["id"]])})}
            for rule in trace
            if (rule["rule_type"], rule["result"]) == (kind, "pending")
        ],
    }


def missing(value: Composed) -> Iterator[str]:
    """Facts behind the unknown conditions of what is unknown itself."""
    parts = value.of
    if isinstance(parts, dict):
        for name, part in parts.items():
            if isinstance(part, Composed):
                yield from missing(part) if part.number == 0 else ()
            elif part == 0:
                yield fact_of(name)
        return
    for part in parts if isinstance(parts, list) else [parts]:
        if part.number == 0:
            yield from missing(part)


# Section 7: the answer.


def shown(value: Composed) -> dict[str, Any]:
    conditions = {
        name: TRUTHS[part] if isinstance(part, int) else shown_composed(part)
        for name, part in value.of.items()
    }
    return {"value": TRUTHS[value.number], "conditions": conditions}


def shown_composed(value: Composed) -> dict[str, Any]:
    parts = value.of
    shown_parts = [shown(part) for part in parts] if isinstance(parts, list) else shown(parts)
    return {"value": TRUTHS[value.number], "of": shown_parts}
