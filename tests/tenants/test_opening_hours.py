"""The database refuses hours that make no sense, whoever writes them."""

from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from psycopg import IsolationLevel

from tenancy import tenant
from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    PhoneNumber,
    SpecialDay,
    SpecialDayInterval,
)
from tests.factories import make_line

FURTHER = (
    "INSERT INTO business_hours_intervals (phone_id, day_of_week, open_time, close_time)"
    " VALUES (%s, 1, %s, %s)"
)
WEEKLY = (
    "INSERT INTO business_hours"
    " (phone_id, day_of_week, open_time, close_time, timezone, is_closed)"
    " VALUES (%s, 1, %s, %s, %s, %s)"
)
SPECIAL = "INSERT INTO special_days (phone_id, date) VALUES (%s, %s) RETURNING id"
SPECIAL_HOURS = (
    "INSERT INTO special_day_intervals (phone_id, special_day_id, open_time, close_time)"
    " VALUES (%s, %s, %s, %s)"
)


def execute(sql: str, *values: Any) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone() if cursor.description else None


def refused(constraint: str, sql: str, *values: Any) -> None:
    with pytest.raises(IntegrityError) as refusal:
        execute(sql, *values)
    cause: Any = refusal.value.__cause__
    assert cause.diag.constraint_name == constraint


def test_further_intervals_of_a_day_do_not_overlap(line: PhoneNumber) -> None:
    with tenant(line.pk):
        execute(FURTHER, line.pk, "13:00", "17:00")
        execute(FURTHER, line.pk, "17:00", "18:00")  # touches
        execute(FURTHER, line.pk, "22:00", "02:00")
        for opens, closes in (("16:59", "17:30"), ("12:00", "13:01"), ("23:00", "23:30")):
            refused("business_hours_intervals_overlap", FURTHER, line.pk, opens, closes)
        refused("business_hours_intervals_not_equal", FURTHER, line.pk, "09:00", "09:00")
        refused("business_hours_intervals_time_of_day", FURTHER, line.pk, "09:00", "24:00")
        execute(FURTHER, line.pk, "01:00", "02:00")  # of the same date, before it


@pytest.mark.parametrize(
    ("closed", "zone", "overlaps"),
    [(False, "America/New_York", True), (True, "America/New_York", False), (False, "UTC", False)],
)
def test_further_intervals_do_not_overlap_the_hours_of_their_weekday(
    line: PhoneNumber, closed: bool, zone: str, overlaps: bool
) -> None:
    """A row of another zone is not compared: what it overlaps changes with the clocks."""
    with tenant(line.pk):
        PhoneNumber.objects.update(timezone="America/New_York")
        execute(WEEKLY, line.pk, "09:00", "12:00", zone, closed)
        if overlaps:
            refused("business_hours_intervals_overlap", FURTHER, line.pk, "11:00", "13:00")
        else:
            execute(FURTHER, line.pk, "11:00", "13:00")
            opened = "UPDATE business_hours SET is_closed = false, timezone = 'America/New_York'"
            refused("business_hours_overlap", opened)


def test_hours_may_change_places_in_one_transaction(line: PhoneNumber) -> None:
    with tenant(line.pk):
        execute(WEEKLY, line.pk, "09:00", "12:00", line.timezone, False)
        execute(FURTHER, line.pk, "13:00", "17:00")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SET CONSTRAINTS business_hours_overlap, business_hours_intervals_overlap DEFERRED"
            )
            BusinessHours.objects.update(open_time="13:00", close_time="17:00")
            BusinessHoursInterval.objects.update(open_time="09:00", close_time="12:00")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_special_days(line: PhoneNumber, other_line: PhoneNumber) -> None:
    with tenant(line.pk):
        (day,) = execute(SPECIAL, line.pk, "2026-12-24")
        refused("special_days_phone_id_date_key", SPECIAL, line.pk, "2026-12-24")
        refused("special_days_date_range", SPECIAL, line.pk, "infinity")
        execute(SPECIAL_HOURS, line.pk, day, "09:00", "12:00")
        refused("special_day_intervals_overlap", SPECIAL_HOURS, line.pk, day, "11:59", "13:00")
        # Equal times are 24 hours, which nothing else of the day leaves room for.
        refused("special_day_intervals_overlap", SPECIAL_HOURS, line.pk, day, "10:00", "10:00")
        execute(SPECIAL_HOURS, line.pk, day, "12:00", "08:00")
        (eve,) = execute(SPECIAL, line.pk, "2026-12-31")
        execute(SPECIAL_HOURS, line.pk, eve, "10:00", "10:00")
    with tenant(other_line.pk):
        refused(
            "special_day_intervals_follow_day", SPECIAL_HOURS, other_line.pk, day, "09:00", "12:00"
        )
    with tenant(line.pk):
        SpecialDay.objects.filter(pk=day).delete()
        assert SpecialDayInterval.objects.count() == 1


@pytest.mark.parametrize(
    ("isolation", "refusal"),
    [
        (IsolationLevel.READ_COMMITTED, psycopg.errors.CheckViolation),
        (IsolationLevel.REPEATABLE_READ, psycopg.errors.SerializationFailure),
    ],
)
def test_two_writers_at_once(
    committed: None, isolation: IsolationLevel, refusal: type[Exception]
) -> None:
    line = make_line()
    settings = connection.settings_dict
    login = {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "dbname": settings["NAME"],
    }
    with psycopg.connect(**login) as one, psycopg.connect(**login) as other:
        for writer in (one, other):
            writer.isolation_level = isolation
            writer.execute("SELECT set_config('app.phone_id', %s, true)", [line.pk])
            writer.execute("SELECT count(*) FROM business_hours_intervals")
        one.execute(FURTHER, [line.pk, "09:00", "12:00"])
        one.commit()
        # Its snapshot, where it keeps one, is of before.
        with pytest.raises(refusal):
            other.execute(FURTHER, [line.pk, "11:00", "13:00"])
