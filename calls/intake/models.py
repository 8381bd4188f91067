"""The inbox: every verified event as received, and its outcome."""

from django.db import models

from database.columns import NOW, is_one_of
from tenancy.models import TenantForeignKey, TenantModel


class EventKind(models.TextChoices):
    VOICE = "voice"
    RECORDING = "recording"
    RECONCILED = "reconciled", "Provider's call list"


class EventOutcome(models.TextChoices):
    APPLIED = "applied", "Applied"
    DUPLICATE = "duplicate", "Duplicate"
    LATE = "late", "Late: the call had moved on"
    ARCHIVED = "archived", "The call is in the archive"
    WAITING = "waiting", "Waiting for its call"
    UNKNOWN_STATUS = "unknown_status", "Unknown status"
    UNKNOWN_LINE = "unknown_line", "Unknown line"
    CONFLICT = "conflict", "The SID belongs to another line's call"
    MALFORMED = "malformed", "Malformed"


# Outcomes for staff to look at: stored, but not applied.
PROBLEMS = [
    EventOutcome.WAITING,
    EventOutcome.UNKNOWN_STATUS,
    EventOutcome.UNKNOWN_LINE,
    EventOutcome.CONFLICT,
    EventOutcome.MALFORMED,
]


class CallEvent(TenantModel):
    """One request of the provider with a valid signature.

    Without a line (phone null) the row is in no line's scope, so only staff see it.
    """

    id = models.BigAutoField(primary_key=True)
    phone = TenantForeignKey(related_name="call_events", null=True)
    call_sid = models.TextField(null=True, db_collation="C", verbose_name="call SID")
    kind = models.TextField(choices=EventKind.choices)
    sequence = models.BigIntegerField(
        null=True,
        help_text="Counts the events of one subscription, not of a call.",
    )
    payload = models.JSONField(help_text="The parameters as received.")
    parsed = models.JSONField(null=True, help_text="The values read from the parameters.")
    received_at = models.DateTimeField(db_default=NOW)
    outcome = models.TextField(choices=EventOutcome.choices)
    reason = models.TextField(null=True)
    replayed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "call_events"
        verbose_name = "event"
        ordering = ["-id"]
        constraints = [
            *TenantModel.Meta.constraints,
            is_one_of("call_events", "kind", EventKind),
            is_one_of("call_events", "outcome", EventOutcome),
        ]
        indexes = [
            # A line's inbox, latest first; deleting a line.
            models.Index(fields=["phone", "-id"], name="idx_call_events_phone"),
            # The timeline of a call, and events waiting for it.
            models.Index(fields=["call_sid", "id"], name="idx_call_events_call_sid"),
            # Problems, latest first.
            models.Index(
                fields=["outcome", "-id"],
                name="idx_call_events_problems",
                condition=models.Q(outcome__in=[str(outcome) for outcome in PROBLEMS]),
            ),
            # Retention.
            models.Index(fields=["received_at"], name="idx_call_events_received"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} event {self.pk}"
