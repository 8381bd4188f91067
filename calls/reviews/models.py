"""Who reviews a call with low AI confidence, and the outcome."""

from django.db import models
from django.db.models import Q

from database.columns import NOW
from tenancy.models import TenantForeignKey, TenantModel

EMPTY_LIST = models.expressions.RawSQL("'[]'::jsonb", ())


class CallReview(TenantModel):
    """The review of one call, claimed or done.

    It stays when its call moves to the archive and back, so no foreign key ties it to either
    table; prune_reviews() deletes it once its call is in neither.
    """

    id = models.BigAutoField(primary_key=True)
    phone = TenantForeignKey(related_name="call_reviews")
    call_id = models.UUIDField(verbose_name="call")
    call_began = models.DateTimeField(verbose_name="call began")
    # Names instead of foreign keys to users, so that they outlive the accounts.
    claimed_by = models.TextField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.TextField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    history = models.JSONField(
        default=list,
        db_default=EMPTY_LIST,
        help_text="Each step: at, by, did; a correction also has the former summary.",
    )
    created_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "call_reviews"
        verbose_name = "review"
        ordering = ["-id"]
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["phone", "call_id"],
                name="call_reviews_phone_id_call_id_key",
                violation_error_message="This call already has a review.",
            ),
            models.CheckConstraint(
                condition=Q(claimed_by__isnull=True, claimed_until__isnull=True)
                | Q(claimed_by__isnull=False, claimed_until__isnull=False),
                name="call_reviews_claim_ends",
                violation_error_message="A claim needs a person and an end time.",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True, reviewed_at__isnull=True)
                | Q(reviewed_by__isnull=False, reviewed_at__isnull=False),
                name="call_reviews_reviewed_by_somebody",
                violation_error_message="A finished review needs a time and a reviewer.",
            ),
        ]
        indexes = [
            # What somebody has claimed and not done.
            models.Index(
                fields=["claimed_by"],
                name="idx_call_reviews_claimed",
                condition=Q(reviewed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        done = f"reviewed by {self.reviewed_by}" if self.reviewed_by else "not reviewed yet"
        return f"call of {self.call_began:%Y-%m-%d %H:%M} UTC, {done}"
