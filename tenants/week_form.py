"""The form of a line's opening hours: its week, and below it the special days.

Field names, which stay as they are:

| name | value |
|---|---|
| `version` | `OpeningHours.version` of what the page showed |
| `day-1-open`, `day-1-close` | of weekday 1, Monday: as often as there are intervals, in pairs |
| `day-1-closed`, `day-1-all_day` | ticks: closed; equal times do mean 24 hours |
| `day-1-timezone` | only where the stored row has another zone than the line: the zone to store |
| `special` | the key of each special day in the form: the date that is stored, or `new…` |
| `special-<key>-date`, `-label`, `-open`, `-close`, `-closed`, `-all_day` | of that special day |
| `delete` | the date of each stored special day to delete |
| `country`, `subdivision`, `year` | which public holidays are offered |
| `offered` | those that are listed, `country|subdivision|year`: counts before these three |
| `holiday`, `all_holidays` | the date of each to add; a tick: add all |

A pair of two empty fields is not an interval. Special days that the form does not show, such as
past ones, stay.
"""

from datetime import date
from typing import Any

from django.utils.datastructures import MultiValueDict

from tenants.day_fields import Data, SpecialHours, WeekdayHours
from tenants.holiday_choice import HolidayChoice, Offer
from tenants.hours_rows import HoursRows, planned_rows, rows_of
from tenants.models import PhoneNumber
from tenants.opening_hours import WEEK, Day, OpeningHours, Special, clock

SHOWN_SPECIAL_DAYS = 60  # each has some six fields, and Django reads at most 1,000
CHANGED = (
    "Nothing was saved: somebody else has changed these hours since you opened this page. Open it"
    " again to see them, and make your changes there."
)


class WeekForm:
    """The opening hours of a line as typed, or as stored where data is None.

    today is the line's date: special days before it are listed, and not in the form.
    """

    def __init__(
        self,
        line: PhoneNumber,
        stored: HoursRows,
        today: date,
        *,
        language: str,
        data: Data | None = None,
    ) -> None:
        self.line, self.stored, self.today = line, stored, today
        self.before = stored.hours
        special = sorted(self.before.special)
        upcoming = [day for day in special if day >= today]
        self.editable = upcoming[:SHOWN_SPECIAL_DAYS]
        self.upcoming = self._listed(upcoming)
        self.past = self._listed([day for day in reversed(special) if day < today])
        self.later = self._listed(upcoming[SHOWN_SPECIAL_DAYS:])
        self.data = data if data is not None else self._stored_data()
        self.version = self.data.get("version", "")
        self.week = [WeekdayHours(self.data, n, line, self.before.week.get(n)) for n in WEEK]
        known = {day.isoformat() for day in self.before.special}
        keys = [
            key
            for key in dict.fromkeys(self.data.getlist("special"))
            if key in known or key.startswith("new")
        ]
        shown = [SpecialHours(self.data, key) for key in keys]
        self.special = [each for each in shown if not each.is_empty]
        self.deleted = known & set(self.data.getlist("delete"))
        self.holidays = HolidayChoice(
            self.data, region=line.region, language=language, today=today
        )
        self.errors: list[str] = []

    def _listed(self, days: list[date]) -> list[tuple[str, Special]]:
        return [(day.isoformat(), self.before.special[day]) for day in days]

    def _stored_data(self) -> Data:
        data: Data = MultiValueDict({"version": [self.before.version]})
        for number, day in self.before.week.items():
            _write(data, f"day-{number}", day)
            data[f"day-{number}-timezone"] = day.timezone
        for key, special in self._listed(self.editable):
            data.appendlist("special", key)
            data[f"special-{key}-date"] = key
            data[f"special-{key}-label"] = special.label
            _write(data, f"special-{key}", special)
        return data

    def offers(self) -> list[tuple[Offer, bool]]:
        """Each holiday, and whether its date is a special day already."""
        return [
            (each, each.holiday.date in self.before.special) for each in self.holidays.offers()
        ]

    @property
    def blank(self) -> SpecialHours:
        """What the page copies for a further special day."""
        return SpecialHours(MultiValueDict(), "new")

    @property
    def spare(self) -> SpecialHours:
        """An empty special day, for a page without scripts."""
        used = {each.key for each in self.special}
        number = next(n for n in range(len(used) + 1) if f"new{n}" not in used)
        return SpecialHours(MultiValueDict(), f"new{number}")

    @property
    def has_errors(self) -> bool:
        return bool(
            self.errors
            or self.holidays.errors
            or any(each.has_errors for each in [*self.week, *self.special])
        )

    def hours(self, *, week: bool = True, special: bool = True) -> OpeningHours | None:
        """What was filled in, with the rest as it is stored; None where something is wrong.

        week and special: which of the two the user may change.
        """
        self.errors.clear()
        if self.version != self.before.version:
            self.errors.append(CHANGED)
        days = {each.number: each.day() for each in self.week} if week else self.before.week
        wanted = OpeningHours(
            {number: day for number, day in days.items() if day},
            self._special_days() if special else self.before.special,
        )
        return None if self.has_errors else wanted

    def _special_days(self) -> dict[date, Special]:
        in_form = {each.key for each in self.special}
        days = {
            day: special
            for day, special in self.before.special.items()
            if day.isoformat() not in in_form | self.deleted
        }
        for each in self.special:
            if each.key in self.deleted or (filled := each.day()) is None:
                continue
            day, special = filled
            if day in days:
                each.errors.append("There is another special day on this date.")
            days[day] = special
        for holiday in self.holidays.chosen():
            days.setdefault(holiday.date, Special(holiday.label, is_closed=True))
        return days


def _write(data: Data, prefix: str, day: Day | Special) -> None:
    """The fields of a stored day; one that is open 24 hours has been confirmed.

    A closed day has equal times where it has none.
    """
    shown = [each for each in day.intervals if not (day.is_closed and each.is_whole_day)]
    data.setlist(f"{prefix}-open", [clock(each.open) for each in shown])
    data.setlist(f"{prefix}-close", [clock(each.close) for each in shown])
    if day.is_closed:
        data[f"{prefix}-closed"] = "on"
    if any(each.is_whole_day for each in shown):
        data[f"{prefix}-all_day"] = "on"


def week_document(line: PhoneNumber, data: Data, today: date) -> dict[str, Any] | None:
    """The rows that saving the submitted form would leave, by their tables, as JSON has them.

    The tables are business_hours, business_hours_intervals and special_days with `intervals`. None
    where the form would be refused. Saves nothing; needs a scope, since it reads what is stored.
    """
    stored = rows_of(line)
    hours = WeekForm(line, stored, today, language="en-US", data=data).hours()
    return planned_rows(line, stored, hours).document() if hours else None
