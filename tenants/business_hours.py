"""The weekly opening hours of a line."""

import uuid
from datetime import time

import pgtrigger
from django.db import models
from django.db.models import F, Q

from database.columns import RANDOM_UUID, is_timezone, validate_timezone
from database.triggers import RejectRow
from tenancy.constraints import ApiRights
from tenancy.models import TenantForeignKey, TenantModel

OVERLAP = "These hours overlap other hours of the same day. Change or delete those first."


class Weekday(models.IntegerChoices):
    """0 is Sunday, as in PostgreSQL's EXTRACT(dow) and JavaScript's getDay()."""

    SUNDAY = 0
    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6


def are_times(table: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        # PostgreSQL has a 24:00 that Python cannot read.
        condition=Q(open_time__lte=time.max) & Q(close_time__lte=time.max),
        name=f"{table}_time_of_day",
        violation_error_message="Write midnight as 00:00.",
    )


def is_weekday(table: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(day_of_week__range=(0, 6)),
        name=f"{table}_day_of_week_check",
        violation_error_message="day_of_week must be from 0 (Sunday) to 6 (Saturday).",
    )


class RejectOverlap(RejectRow):
    """Refuses hours that overlap others of their day, one writer of a line at a time.

    Deferrable: after `SET CONSTRAINTS <name> DEFERRED` the hours of a day may change places.
    """

    def __init__(self, *, table: str, columns: tuple[str, ...], query: str) -> None:
        super().__init__(
            name=f"{table}_overlap",
            when=pgtrigger.After,
            timing=pgtrigger.Immediate,
            operation=pgtrigger.Insert | pgtrigger.UpdateOf(*columns),  # type: ignore[no-untyped-call]
            query=query,
            message=OVERLAP,
        )


class BusinessHours(TenantModel):
    """When a line's business is open on one weekday, on the wall clock of its timezone.

    A close_time that is not after open_time is the next day's; two equal ones mean 24 hours.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="business_hours")
    day_of_week = models.IntegerField(choices=Weekday.choices)
    open_time = models.TimeField()
    close_time = models.TimeField()
    timezone = models.TextField(default="UTC", db_default="UTC", validators=[validate_timezone])
    is_closed = models.BooleanField(default=False, db_default=False)

    class Meta(TenantModel.Meta):
        db_table = "business_hours"
        verbose_name_plural = "business hours"
        ordering = ["phone", "day_of_week"]
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights(
                "SELECT, INSERT, DELETE, UPDATE (day_of_week, open_time, "
                "close_time, timezone, is_closed)"
            ),
            models.UniqueConstraint(
                fields=["phone", "day_of_week"],
                name="business_hours_phone_id_day_of_week_key",
                violation_error_message="This line already has hours for that day; edit those.",
            ),
            is_weekday("business_hours"),
            are_times("business_hours"),
            is_timezone("business_hours"),
        ]
        triggers = [
            RejectOverlap(
                table="business_hours",
                columns=(
                    "phone_id",
                    "day_of_week",
                    "open_time",
                    "close_time",
                    "timezone",
                    "is_closed",
                ),
                query="app.hours_overlap(NEW.phone_id, NEW.day_of_week)",
            ),
        ]

    def __str__(self) -> str:
        day = Weekday(self.day_of_week).label
        if self.is_closed:
            return f"{day}: closed"
        return f"{day}: {self.open_time:%H:%M} to {self.close_time:%H:%M} {self.timezone}"


class BusinessHoursInterval(TenantModel):
    """Further hours of a weekday, such as those after a lunch break, on the line's clock.

    A close_time before open_time is the next day's. They do not count while the weekday's row of
    business_hours is closed.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="business_hours_intervals")
    day_of_week = models.IntegerField(choices=Weekday.choices)
    open_time = models.TimeField()
    close_time = models.TimeField()

    class Meta(TenantModel.Meta):
        db_table = "business_hours_intervals"
        verbose_name = "further interval"
        ordering = ["phone", "day_of_week", "open_time"]
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights("SELECT, INSERT, DELETE, UPDATE (day_of_week, open_time, close_time)"),
            is_weekday("business_hours_intervals"),
            are_times("business_hours_intervals"),
            models.CheckConstraint(
                condition=~Q(open_time=F("close_time")),
                name="business_hours_intervals_not_equal",
                violation_error_message=(
                    "An interval ends at another time than it begins. For 24 hours, write two"
                    " equal times as the hours of the day itself."
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["phone", "day_of_week"], name="idx_intervals_phone_day"),
        ]
        triggers = [
            RejectOverlap(
                table="business_hours_intervals",
                columns=("phone_id", "day_of_week", "open_time", "close_time"),
                query="app.hours_overlap(NEW.phone_id, NEW.day_of_week)",
            ),
        ]

    def __str__(self) -> str:
        day = Weekday(self.day_of_week).label
        return f"{day}: {self.open_time:%H:%M} to {self.close_time:%H:%M}"
