"""The days ahead as bars: special days, tails of the day before, and now."""

from datetime import datetime
from typing import Any

from decisions.calendar import Calendar
from decisions.opening_strip import Day, strip
from tests.decisions.factories import FRIDAY, MONDAY, closed, further, line, row, special

# A Thursday; the clocks of Berlin go back on Sunday 25 October.
NOW = datetime.fromisoformat("2026-10-22T10:30+02:00")


def days(*rows: Any, special_days: dict[str, str] | None = None) -> dict[str, Day]:
    labels = [{"date": day, "label": label} for day, label in (special_days or {}).items()]
    settings = {"timezone": "Europe/Berlin", "special_days": labels}
    shown = strip(Calendar(line(*rows)), settings, now=NOW)
    assert len(shown) == 14
    return {f"{each.date}": each for each in shown}


def test_breaks_nights_and_special_days() -> None:
    shown = days(
        row(MONDAY, "09:00-12:00"),
        further(MONDAY, "13:00-17:00"),
        row(FRIDAY, "18:00-02:00"),
        closed(2),
        special("2026-10-29", "10:00-00:00", label="Open evening"),
        special_days={"2026-10-29": "Open evening"},
    )
    assert {day: each.hours for day, each in shown.items() if each.parts} == {
        "2026-10-23": "18:00-02:00 next day",
        "2026-10-24": "until 02:00",
        "2026-10-26": "09:00-12:00, 13:00-17:00",
        "2026-10-29": "10:00-midnight",
        "2026-10-30": "18:00-02:00 next day",
        "2026-10-31": "until 02:00",
        "2026-11-02": "09:00-12:00, 13:00-17:00",
    }
    assert shown["2026-10-27"].hours == "closed"
    [tail] = shown["2026-10-24"].parts
    assert (tail.x, tail.width, tail.is_tail) == (0, 120, True)
    assert shown["2026-10-29"].special == "Open evening"
    assert [(day, each.now) for day, each in shown.items() if each.now] == [("2026-10-22", 630)]


def test_a_line_that_is_always_open_is_so_on_the_night_of_25_hours_too() -> None:
    shown = days(*(row(day, "00:00-00:00") for day in range(7)))
    assert {each.hours for each in shown.values()} == {"all day"}
    assert {(part.x, part.width) for each in shown.values() for part in each.parts} == {(0, 1440)}
