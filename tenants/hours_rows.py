"""The rows behind the opening hours of a line: read, planned and stored.

The first interval of a weekday is its row of business_hours, the others are rows of
business_hours_intervals.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    PhoneNumber,
    SpecialDay,
    SpecialDayInterval,
)
from tenants.opening_hours import Day, Interval, OpeningHours, Special

OVERLAP_RULES = (
    "business_hours_overlap, business_hours_intervals_overlap, special_day_intervals_overlap"
)


@dataclass(frozen=True)
class HoursRows:
    """The rows behind the opening hours of a line, whether they are stored or not."""

    business_hours: list[BusinessHours]
    business_hours_intervals: list[BusinessHoursInterval]
    special_days: list[SpecialDay]
    special_day_intervals: list[SpecialDayInterval]

    @property
    def hours(self) -> OpeningHours:
        further: dict[int, list[Interval]] = {}
        for each in self.business_hours_intervals:
            further.setdefault(each.day_of_week, []).append(_interval(each))
        week = {}
        for row in self.business_hours:
            own = sorted(further.pop(row.day_of_week, ()))
            week[row.day_of_week] = Day(row.timezone, (_interval(row), *own), row.is_closed)
        for day, own in further.items():
            week[day] = Day("", tuple(sorted(own)))
        special: dict[Any, list[Interval]] = {}
        for hours in self.special_day_intervals:
            special.setdefault(hours.special_day_id, []).append(_interval(hours))
        days = {
            day.date: Special(day.label, tuple(sorted(special.get(day.pk, ()))), day.is_closed)
            for day in self.special_days
        }
        return OpeningHours(week, days)

    def document(self) -> dict[str, list[dict[str, Any]]]:
        """The rows as JSON has them, by their tables; a special day has its `intervals`."""
        return {
            "business_hours": [
                {
                    **_times(row),
                    "day_of_week": row.day_of_week,
                    "timezone": row.timezone,
                    "is_closed": row.is_closed,
                }
                for row in self.business_hours
            ],
            "business_hours_intervals": [
                {**_times(row), "day_of_week": row.day_of_week}
                for row in self.business_hours_intervals
            ],
            "special_days": [
                {
                    "id": str(day.pk),
                    "date": day.date.isoformat(),
                    "label": day.label,
                    "is_closed": day.is_closed,
                    "intervals": [
                        {name: value for name, value in _times(row).items() if name != "id"}
                        for row in self.special_day_intervals
                        if row.special_day_id == day.pk
                    ],
                }
                for day in self.special_days
            ],
        }


def _interval(row: Any) -> Interval:
    return Interval(row.open_time, row.close_time)


def _times(row: Any) -> dict[str, str]:
    return {
        "id": str(row.pk),
        "open_time": row.open_time.isoformat(),
        "close_time": row.close_time.isoformat(),
    }


def rows_of(line: PhoneNumber) -> HoursRows:
    """Those that are stored."""
    return HoursRows(
        list(BusinessHours.objects.filter(phone=line)),
        list(BusinessHoursInterval.objects.filter(phone=line)),
        list(SpecialDay.objects.filter(phone=line)),
        list(SpecialDayInterval.objects.filter(phone=line)),
    )


def planned_rows(line: PhoneNumber, stored: HoursRows, wanted: OpeningHours) -> HoursRows:
    """The rows that say what is wanted; those that are stored keep their ids."""
    plan = HoursRows([], [], [], [])
    rows = {row.day_of_week: row for row in stored.business_hours}
    for number, day in wanted.week.items():
        known = rows.get(number)
        first, *others = day.intervals or (Interval(time.min, time.min),)
        plan.business_hours.append(
            BusinessHours(
                pk=known.pk if known else uuid.uuid4(),
                phone=line,
                day_of_week=number,
                open_time=first.open,
                close_time=first.close,
                timezone=day.timezone or line.timezone,
                is_closed=day.is_closed,
            )
        )
        own = [row for row in stored.business_hours_intervals if row.day_of_week == number]
        plan.business_hours_intervals.extend(
            BusinessHoursInterval(
                pk=pk,
                phone=line,
                day_of_week=number,
                open_time=each.open,
                close_time=each.close,
            )
            for pk, each in _keyed(own, [] if day.is_closed else others)
        )
    dates = {day.date: day.pk for day in stored.special_days}
    for day_of_year, special in wanted.special.items():
        pk = dates.get(day_of_year) or uuid.uuid4()
        plan.special_days.append(
            SpecialDay(
                pk=pk,
                phone=line,
                date=day_of_year,
                label=special.label,
                is_closed=special.is_closed,
            )
        )
        hours = [row for row in stored.special_day_intervals if row.special_day_id == pk]
        plan.special_day_intervals.extend(
            SpecialDayInterval(
                pk=own_pk,
                phone=line,
                special_day_id=pk,
                open_time=each.open,
                close_time=each.close,
            )
            for own_pk, each in _keyed(hours, [] if special.is_closed else special.intervals)
        )
    return plan


def _keyed(
    rows: Iterable[Any], intervals: Iterable[Interval]
) -> Iterable[tuple[uuid.UUID, Interval]]:
    """Each interval with the id of the row that says so, else of one that is no longer needed."""
    known = {_interval(row): row.pk for row in rows}
    wanted = list(intervals)
    free = [pk for each, pk in known.items() if each not in wanted]
    for each in wanted:
        yield known.get(each) or (free.pop() if free else uuid.uuid4()), each


def store(stored: HoursRows, plan: HoursRows) -> None:
    """Make the stored rows those of the plan, or change nothing.

    Raises IntegrityError where the database refuses them, as when someone else saves meanwhile.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Intervals may change places.
        cursor.execute(f"SET CONSTRAINTS {OVERLAP_RULES} DEFERRED")
        for before, after in zip(vars(stored).values(), vars(plan).values(), strict=True):
            _replace(before, after)
        cursor.execute(f"SET CONSTRAINTS {OVERLAP_RULES} IMMEDIATE")


def _replace(before: list[Any], after: list[Any]) -> None:
    if not (before or after):
        return
    model: Any = type((before or after)[0])
    old = {row.pk: row for row in before}
    gone = old.keys() - {row.pk for row in after}
    if gone:
        model.objects.filter(pk__in=gone).delete()
    names = [each.name for each in model._meta.concrete_fields if not each.primary_key]
    changed = [row for row in after if row.pk in old and _values(row) != _values(old[row.pk])]
    if changed:
        model.objects.bulk_update(changed, [name for name in names if name != "phone"])
    if added := [row for row in after if row.pk not in old]:
        model.objects.bulk_create(added)


def _values(row: Model) -> list[Any]:
    return [getattr(row, each.attname) for each in row._meta.concrete_fields]
