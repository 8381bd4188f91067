"""The fields of one day in the form of opening hours: intervals, closed, 24 hours."""

from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from database.storable import is_storable
from tenants.models import PhoneNumber, Weekday
from tenants.opening_hours import Day, Interval, Special, overlapping
from tenants.special_days import MAX_LABEL_LENGTH

MAX_INTERVALS = 12  # of one day
CONFIRM = "Open 24 hours? Tick the box to confirm, or change one of the times."

Data = MultiValueDict[str, Any]

_time = forms.TimeField()
_date = forms.DateField()


@dataclass
class Pair:
    """Two fields of an interval as they were typed."""

    open: str = ""
    close: str = ""
    errors: list[str] = field(default_factory=list)

    def interval(self) -> Interval | None:
        """What was typed; None where that is nothing, or not two times."""
        if not (self.open.strip() or self.close.strip()):
            return None
        ends = [self._read("open"), self._read("close")]
        return None if None in ends else Interval(*ends)  # type: ignore[arg-type]

    def _read(self, name: str) -> time | None:
        typed = getattr(self, name)
        try:
            moment: time = _time.clean(typed)
        except ValidationError:
            what = "opens" if name == "open" else "closes"
            self.errors.append(
                f"Enter the time at which it {what}, such as 09:00."
                if not typed.strip()
                else f"“{typed}” is not a time. Write it like 09:00."
            )
            return None
        return moment

    @property
    def note(self) -> str:
        pair = Pair(self.open, self.close)  # whose errors nobody reads
        interval = pair.interval()
        return interval.note if interval else ""

    @property
    def kind(self) -> str:
        """A browser's time field empties itself of fractions of a second."""
        return "text" if "." in self.open + self.close else "time"


class Hours:
    """The intervals of one day, weekday or date, under a prefix of field names."""

    def __init__(self, data: Data, prefix: str) -> None:
        self.prefix = prefix
        ends = zip(data.getlist(f"{prefix}-open"), data.getlist(f"{prefix}-close"), strict=False)
        pairs = [Pair(opens, closes) for opens, closes in ends]
        # One that is empty is offered, on a page without scripts too.
        self.pairs = [pair for pair in pairs if pair.open or pair.close]
        self.name = ""  # what screen readers call it
        self.is_closed = f"{prefix}-closed" in data
        self.is_all_day = f"{prefix}-all_day" in data
        self.errors: list[str] = []

    @property
    def shown_pairs(self) -> list[Pair]:
        return [*self.pairs, Pair()]

    @property
    def has_equal_times(self) -> bool:
        return any(pair.note == "24 hours" for pair in self.pairs)

    @property
    def has_errors(self) -> bool:
        return bool(self.errors or any(pair.errors for pair in self.pairs))

    def read(self) -> tuple[Interval, ...]:
        """In the order of the fields; what is wrong is in `errors` afterwards.

        Of a closed day, the times that are whole: they are not used, and may come back.
        """
        found = [pair.interval() for pair in self.pairs]
        if self.is_closed:
            for pair in self.pairs:
                pair.errors.clear()
        return tuple(each for each in found if each is not None)

    def check(self, intervals: tuple[Interval, ...]) -> None:
        """Of one clock, and of a day that is not closed."""
        if len(intervals) > MAX_INTERVALS:
            self.errors.append(f"A day can have at most {MAX_INTERVALS} intervals.")
        if overlapping(intervals):
            self.errors.append("These hours overlap. Change or empty one of them.")
        elif any(each.is_whole_day for each in intervals) and not self.is_all_day:
            self.errors.append(CONFIRM)


class WeekdayHours(Hours):
    """A row of the grid."""

    def __init__(self, data: Data, number: int, line: PhoneNumber, stored: Day | None) -> None:
        super().__init__(data, f"day-{number}")
        self.number = number
        self.name = str(Weekday(number).label)
        zone = stored.timezone if stored else ""
        # A row in a zone other than the line's keeps it unless that is changed.
        self.other_zone = zone if zone and zone != line.timezone else ""
        self.line_zone = line.timezone
        chosen = data.get(f"{self.prefix}-timezone")
        self.timezone = self.other_zone if self.other_zone == chosen else line.timezone
        self.zones = [self.other_zone, line.timezone]
        self.stored_text = str(stored) if stored else "not set"
        if self.other_zone:
            self.stored_text += f" (the first times are of {self.other_zone})"

    def day(self) -> Day | None:
        """As filled in; None where nothing is."""
        intervals = self.read()
        if self.is_closed:
            return Day(self.timezone, intervals[:1], is_closed=True)
        if not intervals:
            return None
        first, *others = intervals
        if self.timezone == self.line_zone:
            self.check(intervals)
            return Day(self.timezone, tuple(sorted(intervals)))
        # The first interval is of another clock than the others, and cannot be compared.
        self.check(tuple(others))
        if any(each.is_whole_day for each in others):
            self.errors.append(
                "Only the first interval can be of 24 hours while it is in another time zone."
            )
        elif first.is_whole_day and not self.is_all_day:
            self.errors.append(CONFIRM)
        return Day(self.timezone, (first, *sorted(others)))


class SpecialHours(Hours):
    """A special day in the form."""

    def __init__(self, data: Data, key: str) -> None:
        super().__init__(data, f"special-{key}")
        self.key = key
        self.is_new = key.startswith("new")
        self.date = data.get(f"{self.prefix}-date", "").strip()
        self.label = " ".join(data.get(f"{self.prefix}-label", "").split())
        self.name = "New special day" if self.is_new else f"{self.date} {self.label}".strip()

    @property
    def is_empty(self) -> bool:
        """A new one in which nothing was typed."""
        return self.is_new and not (self.date or self.label or self.pairs or self.is_closed)

    def day(self) -> tuple[date, Special] | None:
        intervals = self.read()
        if not self.is_closed:
            self.check(intervals)
        try:
            day = _date.clean(self.date)
        except ValidationError:
            self.errors.append("Enter the date of this special day.")
            return None
        if len(self.label) > MAX_LABEL_LENGTH or not is_storable(self.label):
            self.errors.append(f"A label is one line of at most {MAX_LABEL_LENGTH} characters.")
        hours = () if self.is_closed else tuple(sorted(intervals))
        return day, Special(self.label, hours, self.is_closed)
