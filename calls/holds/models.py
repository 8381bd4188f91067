"""The record of legal holds."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from calls.holds.triggers import HeldTrigger, TruncateNothingHeld
from database.columns import NOW
from database.triggers import RunFunction
from tenancy.constraints import TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet


class LegalHoldQuerySet(TenantQuerySet["LegalHold"]):
    def in_force(self) -> "LegalHoldQuerySet":
        """Holds that nobody has released."""
        return self.filter(released_at__isnull=True)


LegalHoldManager = TenantManager.from_queryset(LegalHoldQuerySet)


class LegalHold(TenantModel):
    """One hold on one call, for one case; a call is held while any of its holds is in force.

    The call is live or archived, so no foreign key ties the hold to either table. Staff alone
    place and release holds, a released one never changes, and it goes with its line only.
    """

    id = models.BigAutoField(primary_key=True)
    phone = TenantForeignKey(related_name="legal_holds")
    call_id = models.UUIDField(verbose_name="call")
    reason = models.TextField()
    case_reference = models.TextField(verbose_name="case")
    # Names instead of foreign keys to users, so that they outlive the accounts.
    placed_by = models.TextField()
    placed_at = models.DateTimeField(db_default=NOW)
    released_by = models.TextField(null=True)
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(null=True)

    objects: ClassVar[Any] = LegalHoldManager()

    class Meta(TenantModel.Meta):
        db_table = "legal_holds"
        ordering = ["-id"]
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            TenantKeyConstraint(),
            models.CheckConstraint(
                condition=Q(
                    reason__regex=r"\S", case_reference__regex=r"\S", placed_by__regex=r"\S"
                ),
                name="legal_holds_say_why",
                violation_error_message="A hold needs a reason, a case and who placed it.",
            ),
            models.CheckConstraint(
                condition=Q(
                    released_at__isnull=True, released_by__isnull=True, release_reason__isnull=True
                )
                | Q(
                    released_at__isnull=False,
                    released_by__regex=r"\S",
                    release_reason__regex=r"\S",
                ),
                name="legal_holds_release_says_why",
                violation_error_message="A release needs a reason and who released it.",
            ),
        ]
        indexes = [
            # What the triggers of held rows look up.
            models.Index(
                fields=["call_id"],
                name="idx_legal_holds_in_force",
                condition=Q(released_at__isnull=True),
            ),
            # The holds of a call, and those of a line.
            models.Index(fields=["phone", "call_id"], name="idx_legal_holds_call"),
        ]
        triggers = [
            RunFunction(
                name="legal_holds_by_staff",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="app.record_legal_hold",
            ),
            RunFunction(
                name="legal_holds_mark_call",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="app.mark_held_call",
            ),
            HeldTrigger(
                name="legal_holds_stay",
                operation=pgtrigger.Delete,
                func="app.keep_legal_hold",
            ),
            TruncateNothingHeld(name="legal_holds_refuse_truncate"),
        ]

    def __str__(self) -> str:
        state = "in force" if self.released_at is None else "released"
        return f"hold for case {self.case_reference}, {state}"
