"""Short ways to write the settings of a line: hours as "09:00-17:00", ids as small numbers."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any
from uuid import UUID

from decisions.answer import Answer
from decisions.decision import decide
from decisions.hours import HoursAtMoment
from decisions.line_settings import (
    BusinessHours,
    FurtherInterval,
    LineSettings,
    Rule,
    RuleType,
    SpecialDay,
    SpecialInterval,
)

Row = BusinessHours | FurtherInterval | SpecialDay | Rule

BERLIN = "Europe/Berlin"
CREATED = datetime(2026, 1, 5, 8, tzinfo=UTC)
SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = range(7)

numbers = count(1000)


def key(number: int | None = None) -> UUID:
    return UUID(int=next(numbers) if number is None else number)


def clocks(hours: str) -> dict[str, time]:
    opens, closes = map(time.fromisoformat, hours.split("-"))
    return {"open_time": opens, "close_time": closes}


def row(day: int, hours: str, zone: str = BERLIN, **columns: Any) -> BusinessHours:
    columns = {"id": key(), **clocks(hours), **columns}
    return BusinessHours(day_of_week=day, timezone=zone, **columns)


def closed(day: int, zone: str = BERLIN) -> BusinessHours:
    return row(day, "09:00-17:00", zone, is_closed=True)


def further(day: int, hours: str, number: int | None = None) -> FurtherInterval:
    return FurtherInterval(id=key(number), day_of_week=day, **clocks(hours))


def special(day: str, *hours: str, **columns: Any) -> SpecialDay:
    intervals = tuple(SpecialInterval(**clocks(each)) for each in hours)
    columns = {"id": key(), **columns}
    return SpecialDay(date=date.fromisoformat(day), intervals=intervals, **columns)


def rule(
    conditions: Mapping[str, Any] | None = None, kind: RuleType = "routing", **columns: Any
) -> Rule:
    columns = {"id": key(), "created_at": CREATED, **columns}
    return Rule(rule_type=kind, conditions=conditions or {}, **columns)


def line(*rows: Row, zone: str = BERLIN) -> LineSettings:
    return LineSettings(
        timezone=zone,
        business_hours=tuple(each for each in rows if isinstance(each, BusinessHours)),
        business_hours_intervals=tuple(each for each in rows if isinstance(each, FurtherInterval)),
        special_days=tuple(each for each in rows if isinstance(each, SpecialDay)),
        conversation_rules=tuple(each for each in rows if isinstance(each, Rule)),
    )


def answer(settings: LineSettings, at: str, **facts: Any) -> Answer:
    return decide(settings, at=datetime.fromisoformat(at), facts=facts)


def hours(settings: LineSettings, at: str) -> HoursAtMoment:
    return answer(settings, at).hours


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
