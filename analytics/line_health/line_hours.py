"""The hours of a line that count, by its stored settings and the holidays of its country."""

import logging
from functools import cache, partial

from analytics.line_health.counted_hours import CountedHours, Holidays
from decisions.stored_settings import StoredSettings
from decisions.zones import UnknownTimezone, to_day
from tenants.numbers import region_of
from tenants.public_holidays import UnknownRegion, public_holidays

logger = logging.getLogger(__name__)


def hours_of_line(phone_id: str, number: str, stored: StoredSettings) -> CountedHours | None:
    """None where Python does not know a time zone that PostgreSQL knows: a line less to watch."""
    try:
        return CountedHours(stored.line_settings, holidays_of(number))
    except UnknownTimezone as error:
        logger.warning("Line %s is not watched. %s", phone_id, error)
        return None


def holidays_of(number: str) -> Holidays:
    """Those of the whole country of the number, by year."""
    return partial(_holidays, region_of(number))


@cache
def _holidays(country: str, year: int) -> frozenset[int]:
    try:
        found = public_holidays(country=country, subdivision=None, year=year, language="en")
    except UnknownRegion:
        return frozenset()
    return frozenset(to_day(holiday.date) for holiday in found)
