"""Hours and moments as people say them, on the line's clock."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tenants.opening_hours import Interval
from tenants.rules.phrases import DAYS, joined

WEEK = timedelta(days=7)


def moment_in_words(moment: datetime, *, seen_from: datetime) -> str:
    """17:00 of the same date, Tuesday 09:00 within a week, else with the date.

    Both are on the clock that is to be read.
    """
    if moment.date() == seen_from.date():
        return f"{moment:%H:%M}"
    if abs(moment.date() - seen_from.date()) < WEEK:
        return f"{DAYS[number_of(moment)]} {moment:%H:%M}"
    return f"{DAYS[number_of(moment)]} {moment:%Y-%m-%d %H:%M}"


def number_of(day: date) -> int:
    """Of the weekday: 0 is Sunday."""
    return day.isoweekday() % 7


class HoursInWords:
    """`hours` of an answer as a document, with the settings of that time."""

    def __init__(
        self, hours: Mapping[str, Any], settings: Mapping[str, Any], *, at: datetime
    ) -> None:
        self.is_open: bool | None = hours["is_open"]
        self._settings = settings
        zone = ZoneInfo(settings["timezone"])
        self._at = at.astimezone(zone)
        until = hours["until"]
        self._until = datetime.fromisoformat(until).astimezone(zone) if until else None
        self._reason = hours["reason"]
        decided_by = hours["decided_by"]
        rows = settings[decided_by["table"]] if decided_by else ()
        self._table = decided_by and decided_by["table"]
        self._row = next((row for row in rows if row["id"] == decided_by["id"]), None)

    @property
    def state(self) -> str:
        """Open, until Monday 17:00."""
        if self.is_open is None:
            return "Hours are not set"
        if self._until is None:
            return "Open, with no end" if self.is_open else "Closed, with no opening ahead"
        until = moment_in_words(self._until, seen_from=self._at)
        return f"Open, until {until}" if self.is_open else f"Closed, opens {until}"

    @property
    def reason(self) -> str:
        """The row behind the state: outside of Monday, 09:00 to 17:00."""
        day = DAYS[number_of(self._at)]
        match self._reason:
            case "not_set":
                return "rules for closed hours do not apply"
            case "closed_day":
                return f"{day} is a closed day"
            case "no_hours_that_day":
                return f"{day} has no hours"
        if self.is_open:
            return self.row
        if self._reason == "special_day":
            return self.row if self._is_closed_all_day else f"outside of {self.row}"
        return f"outside of {day}, {self._of_weekday(number_of(self._at))}"

    @property
    def row(self) -> str:
        """The row that decided: Friday, 18:00 to 02:00 (next day)."""
        if self._row is None:
            return ""
        if self._table == "special_days":
            return special_in_words(self._row)
        day = DAYS[self._row["day_of_week"]]
        if self._row.get("is_closed"):
            return f"{day}, closed"
        return f"{day}, {_hours_of([self._row])}{self._other_zone(self._row)}"

    @property
    def _is_closed_all_day(self) -> bool:
        return bool(self._row and (self._row["is_closed"] or not self._row["intervals"]))

    def _of_weekday(self, number: int) -> str:
        rows = [
            row
            for table in ("business_hours", "business_hours_intervals")
            for row in self._settings[table]
            if row["day_of_week"] == number
        ]
        zone = "".join({self._other_zone(row) for row in rows})
        return f"{_hours_of(rows)}{zone}"

    def _other_zone(self, row: Mapping[str, Any]) -> str:
        zone = row.get("timezone", self._settings["timezone"])
        return "" if zone == self._settings["timezone"] else f" ({zone})"


def special_in_words(day: Mapping[str, Any]) -> str:
    """Of a row of special_days: Christmas Eve (2026-12-24), 09:00 to 12:00."""
    name = f"{day['label']} ({day['date']})" if day["label"] else f"special day {day['date']}"
    if day["is_closed"] or not day["intervals"]:
        return f"{name}, closed"
    return f"{name}, {_hours_of(day['intervals'])}"


def _hours_of(rows: Iterable[Mapping[str, Any]]) -> str:
    intervals = sorted(
        Interval(time.fromisoformat(row["open_time"]), time.fromisoformat(row["close_time"]))
        for row in rows
    )
    return joined(list(map(str, intervals)), "and")
