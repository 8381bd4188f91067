"""Dates on which a line has other hours than its week: holidays, half days, single openings."""

import uuid
from datetime import date

from django.db import models
from django.db.models import Q

from database.columns import RANDOM_UUID
from tenancy.constraints import ApiRights, CascadeForeignKey
from tenancy.models import TenantForeignKey, TenantModel
from tenancy.triggers import MatchParentTenant
from tenants.business_hours import RejectOverlap, are_times

MAX_LABEL_LENGTH = 200  # characters


class SpecialDay(TenantModel):
    """Replaces all hours that would begin on this date of the line's clock.

    A day that is closed, or has no intervals, is closed all day.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="special_days")
    date = models.DateField()
    label = models.TextField(
        default="", db_default="", blank=True, help_text="Such as Christmas Eve."
    )
    is_closed = models.BooleanField(default=False, db_default=False)

    class Meta(TenantModel.Meta):
        db_table = "special_days"
        ordering = ["phone", "date"]
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights("SELECT, INSERT, DELETE, UPDATE (date, label, is_closed)"),
            models.UniqueConstraint(
                fields=["phone", "date"],
                name="special_days_phone_id_date_key",
                violation_error_message="This line already has a special day on that date.",
            ),
            models.CheckConstraint(
                # PostgreSQL has dates that Python cannot read, such as infinity.
                condition=Q(date__range=(date.min, date.max)),
                name="special_days_date_range",
                violation_error_message="Enter a date from year 1 to year 9999.",
            ),
            models.CheckConstraint(
                condition=Q(label__regex=rf"^(\S(.{{0,{MAX_LABEL_LENGTH - 2}}}\S)?)?$"),
                name="special_days_label_form",
                violation_error_message=(
                    f"A label is one line of at most {MAX_LABEL_LENGTH} characters."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} {self.label}".rstrip()


class SpecialDayInterval(TenantModel):
    """Hours of a special day.

    A close_time that is not after open_time is the next day's; two equal ones mean 24 hours.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="special_day_intervals")
    special_day = models.ForeignKey(
        SpecialDay,
        models.DO_NOTHING,
        related_name="intervals",
        db_constraint=False,
        db_index=False,
    )
    open_time = models.TimeField()
    close_time = models.TimeField()

    class Meta(TenantModel.Meta):
        db_table = "special_day_intervals"
        ordering = ["phone", "special_day", "open_time"]
        constraints = [
            *TenantModel.Meta.constraints,
            CascadeForeignKey(
                column="special_day_id",
                references="special_days",
                name="special_day_intervals_day",
            ),
            ApiRights("SELECT, INSERT, DELETE"),
            are_times("special_day_intervals"),
        ]
        indexes = [
            models.Index(fields=["phone", "special_day"], name="idx_special_intervals_phone"),
            # Deleting a day.
            models.Index(fields=["special_day"], name="idx_special_intervals_day"),
        ]
        triggers = [
            MatchParentTenant(
                name="special_day_intervals_follow_day",
                column="special_day_id",
                references="special_days",
                message="Hours of a special day belong to the line of that day.",
            ),
            RejectOverlap(
                table="special_day_intervals",
                columns=("phone_id", "special_day_id", "open_time", "close_time"),
                query="app.special_hours_overlap(NEW.phone_id, NEW.special_day_id)",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.open_time:%H:%M} to {self.close_time:%H:%M}"
