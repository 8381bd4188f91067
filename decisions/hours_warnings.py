"""What the owner of a line may not expect of its opening hours, though the tables allow it."""

from collections.abc import Iterator
from dataclasses import dataclass

from decisions.calendar import RowKey, key_of
from decisions.line_settings import LineSettings
from tenants.rules.phrases import DAYS


@dataclass(frozen=True)
class HoursWarning:
    """`code` is stable, `detail` a sentence for the owner; `rows` are those that it is about."""

    code: str
    detail: str
    rows: tuple[RowKey, ...] = ()


def hours_warnings(settings: LineSettings) -> Iterator[HoursWarning]:
    weekly, further = settings.business_hours, settings.business_hours_intervals
    if settings.special_days and not weekly and not further:
        yield HoursWarning(
            "special_days_only",
            "The line has special days and no weekly hours, so it is closed on all other days.",
        )
    for row in sorted(weekly, key=lambda row: row.day_of_week):
        if row.timezone != settings.timezone and not row.is_closed:
            yield HoursWarning(
                "other_timezone",
                f"{DAYS[row.day_of_week]} is on the clock of {row.timezone}, the line on that of"
                f" {settings.timezone}.",
                (key_of(row),),
            )
    closed = {row.day_of_week for row in weekly if row.is_closed}
    for day in sorted(closed):
        ignored = tuple(key_of(row) for row in further if row.day_of_week == day)
        if ignored:
            yield HoursWarning(
                "ignored_intervals",
                f"{DAYS[day]} is closed, so its further intervals are ignored.",
                ignored,
            )
    for special in sorted(settings.special_days, key=lambda special: special.date):
        if special.is_closed and special.intervals:
            yield HoursWarning(
                "ignored_intervals",
                f"{special.date} is closed, so its intervals are ignored.",
                (key_of(special),),
            )
