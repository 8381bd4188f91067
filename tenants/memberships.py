"""Who else may work with a line: users of the login service, known by their token's subject."""

from django.db import models
from django.db.models import Q

from database.columns import NOW
from tenancy.models import TenantForeignKey, TenantModel


class MembershipRole(models.TextChoices):
    VIEWER = "viewer", "Reads"
    EDITOR = "editor", "Reads and changes"


class Membership(TenantModel):
    """A user's right to one line; a user of several lines has a row in each."""

    id = models.BigAutoField(primary_key=True)
    phone = TenantForeignKey(related_name="memberships")
    subject = models.TextField(
        db_collation="C", help_text="The `sub` of the user's tokens: Supabase's user id."
    )
    role = models.TextField(
        choices=MembershipRole.choices,
        default=MembershipRole.VIEWER,
        db_default=MembershipRole.VIEWER,
    )
    created_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "memberships"
        ordering = ["phone", "subject"]
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["phone", "subject"],
                name="memberships_phone_id_subject_key",
                violation_error_message="This user already belongs to the line.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=MembershipRole.values),
                name="memberships_role_check",
                violation_error_message="role must be one of: viewer, editor.",
            ),
        ]
        indexes = [
            # The lines of a user, before any line is known: app.find_memberships().
            models.Index(fields=["subject"], name="idx_memberships_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.role})"
