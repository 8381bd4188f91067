"""The date drill-down of a list: years, months and days between its first row and its last."""

import calendar
import datetime
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

Link = Callable[[dict[str, Any], list[str]], str]


def drill_down(
    queryset: QuerySet[Any], field: str, chosen: Mapping[str, Any], link: Link
) -> dict[str, Any] | None:
    """What Django's date_hierarchy template shows: "back" and "choices"; None without rows.

    Two rows are read, the first and the last: a day between them may turn out to be empty.
    """
    bounds = _bounds(queryset, field)
    if bounds is None:
        return None
    first, last = bounds
    year, month, day = (
        int(chosen[name]) if (name := f"{field}__{part}") in chosen else None
        for part in ("year", "month", "day")
    )

    def to(title: str, **parts: int) -> dict[str, str]:
        parameters = {f"{field}__{part}": str(value) for part, value in parts.items()}
        return {"title": title, "link": link(parameters, [f"{field}__"])}

    if year is None:
        years = range(last.year, first.year - 1, -1)
        return {"back": None, "choices": [to(str(y), year=y) for y in years]}
    if month is None:
        months = [
            m
            for m in range(1, 13)
            if (first.year, first.month) <= (year, m) <= (last.year, last.month)
        ]
        return {
            "back": to("All dates"),
            "choices": [
                to(f"{calendar.month_name[m]} {year}", year=year, month=m) for m in months
            ],
        }
    if day is None:
        days = [
            datetime.date(year, month, d)
            for d in range(1, calendar.monthrange(year, month)[1] + 1)
            if first <= datetime.date(year, month, d) <= last
        ]
        return {
            "back": to(str(year), year=year),
            "choices": [to(f"{d:%b} {d.day}", year=year, month=month, day=d.day) for d in days],
        }
    return {
        "back": to(f"{calendar.month_name[month]} {year}", year=year, month=month),
        "choices": [{"title": f"{calendar.month_name[month]} {day}"}],
    }


def _bounds(queryset: QuerySet[Any], field: str) -> tuple[datetime.date, datetime.date] | None:
    """The first and the last day, in the current time zone."""
    # Not Min and Max: partitions without an index would be read whole for them.
    first, last = (
        queryset.order_by(order).values_list(field, flat=True)[:1]
        for order in (field, f"-{field}")
    )
    days = [
        timezone.localdate(value) if isinstance(value, datetime.datetime) else value
        for value in first.union(last, all=True)
    ]
    return (min(days), max(days)) if days else None
