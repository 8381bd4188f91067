"""Who held which number when: a call belongs to the line that held its number as it began."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from database.columns import NOW
from database.triggers import RunFunction
from tenancy.constraints import TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantModel
from tenancy.readonly import ReadOnlyManager


class NumberAssignment(TenantModel):
    """A number that a line holds, or held; written by a trigger of phone_numbers alone.

    Rows of one number do not overlap in time. Those of a deleted line stay, as of no line.
    """

    unique_over_all_lines = {
        "number": "a number belongs to one line, and whether it is taken is public"
    }

    id = models.BigAutoField(primary_key=True)
    phone = TenantForeignKey(related_name="number_assignments", null=True)
    number = models.TextField(help_text="In its one form: tenants.numbers.one_form().")
    since = models.DateTimeField(null=True, help_text="None: nobody held the number before.")
    until = models.DateTimeField(null=True, help_text="None: the line holds the number.")
    recorded_at = models.DateTimeField(db_default=NOW)

    write_via = "Change the number of the line: a trigger keeps who held a number when."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "number_assignments"
        ordering = ["-id"]
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            TenantKeyConstraint(),
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(until__isnull=True),
                name="number_assignments_number_key",
                violation_error_message="Another line already has this number.",
            ),
            models.CheckConstraint(
                condition=Q(since__isnull=True) | Q(until__isnull=True) | Q(since__lt=F("until")),
                name="number_assignments_in_order",
            ),
        ]
        indexes = [
            # The lines that held a number, for app.telephony_lines().
            models.Index(fields=["number"], name="idx_number_assignments_number"),
            models.Index(fields=["phone", "-id"], name="idx_number_assignments_phone"),
        ]
        triggers = [
            RunFunction(
                name="number_assignments_stay",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.phone_id IS NOT NULL"),
                func="app.keep_former_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} from {self.since or 'the beginning'} until {self.until or 'now'}"
