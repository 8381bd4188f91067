"""The inbox: every verified event as received, and its outcome."""

from typing import Any, ClassVar

from django.db import models

from backoffice.display import plural
from database.columns import NOW, is_one_of
from tenancy.constraints import CascadeForeignKey, TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantModel
from tenancy.readonly import ReadOnlyManager


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
    digest = models.TextField(
        null=True, help_text="Of the text that was signed; the same again adds no row."
    )
    repeats = models.IntegerField(
        default=0, db_default=0, help_text="How often the same came again."
    )

    class Meta(TenantModel.Meta):
        db_table = "call_events"
        verbose_name = "event"
        ordering = ["-id"]
        constraints = [
            *TenantModel.Meta.constraints,
            is_one_of("call_events", "kind", EventKind),
            is_one_of("call_events", "outcome", EventOutcome),
            models.UniqueConstraint(
                fields=["phone", "digest"],
                name="call_events_once",
                condition=models.Q(digest__isnull=False),
                nulls_distinct=False,
            ),
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


class ImportedState(TenantModel):
    """By which state of a call a file gave each of its values.

    A value that is not here, or is another by now, counts as not a file's: an event, a program of
    the line or staff gave it, or a file gave the caller of an ended call. No file replaces it.
    """

    call = models.OneToOneField(
        "calls.Call",
        primary_key=True,
        on_delete=models.DO_NOTHING,  # the database cascades
        db_constraint=False,
        related_name="+",
    )
    phone = TenantForeignKey(related_name="+")
    states = models.JSONField(
        help_text="For each column how far the call had come, and the MD5 of the value."
    )

    write_via = "Only import_calls writes what it keeps of its files."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "imported_states"
        verbose_name = "imported state"
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            TenantKeyConstraint(),
            CascadeForeignKey(column="call_id", references="calls", name="imported_states_call"),
        ]
        indexes = [
            # Deleting a line.
            models.Index(fields=["phone"], name="idx_imported_states_phone"),
        ]

    def __str__(self) -> str:
        return f"imported state of call {self.call_id}"


class RefusalCause(models.TextChoices):
    """Why a callback was refused, as far as the request tells."""

    NO_SIGNATURE = "no_signature", "No signature"
    WRONG_URL = "wrong_url", "Signed for another URL"
    ACCOUNT_TOKEN = "account_token", "Signed with the account's token"
    UNKNOWN_LINE = "unknown_line", "Unknown line"
    WRONG_TOKEN = "wrong_token", "Signed with another token, or forged"
    UNREADABLE = "unreadable", "Unreadable request"


class RefusedCallback(TenantModel):
    """How many requests were refused in an hour for one cause; nothing of their contents.

    The line is that of the number the request named, which nobody has proven.
    """

    id = models.BigAutoField(primary_key=True)
    phone = TenantForeignKey(related_name="refused_callbacks", null=True)
    cause = models.TextField(choices=RefusalCause.choices)
    hour = models.DateTimeField()
    count = models.BigIntegerField()
    detail = models.TextField(help_text="The probable cause, of the latest request.")
    last_at = models.DateTimeField()

    write_via = "Only intake counts refused callbacks, through app.count_refused_callback()."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "refused_callbacks"
        verbose_name = "refused callback"
        ordering = ["-id"]
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            TenantKeyConstraint(),
            is_one_of("refused_callbacks", "cause", RefusalCause),
            models.UniqueConstraint(
                fields=["phone", "cause", "hour"],
                name="refused_callbacks_hour_key",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            # Retention.
            models.Index(fields=["hour"], name="idx_refused_callbacks_hour"),
        ]

    def __str__(self) -> str:
        return f"{plural(self.count, 'refused callback')}: {self.get_cause_display()}"
