"""WHAT HAPPENED: one row per call, its metadata, and the archive of old calls."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import Q

from tenants.columns import EMPTY_ARRAY, EMPTY_OBJECT, NOW, RANDOM_UUID, is_object, is_one_of
from tenants.readonly import ReadOnlyManager
from tenants.scoping.constraints import CascadeForeignKey, LineForeignKey, TenantRLS
from tenants.scoping.models import TenantManager, TenantModel, TenantQuerySet, line_key
from tenants.triggers import Refuse, StampUpdatedAt, Trigger


class CallStatus(models.TextChoices):
    """Moves forward only: ringing < answered < completed = failed."""

    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    FAILED = "failed"


LIVE = [CallStatus.RINGING, CallStatus.ANSWERED]
ENDED = [CallStatus.COMPLETED, CallStatus.FAILED]


class CallQuerySet(TenantQuerySet["Call"]):
    def live(self) -> "CallQuerySet":
        """Calls that are still going on."""
        return self.filter(status__in=LIVE)

    def within(self, period: timedelta, *, now: datetime) -> "CallQuerySet":
        """Calls that began at most `period` before `now`."""
        return self.filter(created_at__gte=now - period)


CallManager = TenantManager.from_queryset(CallQuerySet)


class Call(TenantModel):
    """A call that a line received."""

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = line_key(related_name="calls")
    # Not always a number: also client:…, sip:…, anonymous. Under collation "C" the index
    # idx_calls_caller_number serves prefix searches (^@), which row level security lets through.
    caller_number = models.TextField(db_collation="C")
    call_sid = models.TextField(db_collation="C", verbose_name="call SID")
    status = models.TextField(choices=CallStatus.choices)
    duration = models.IntegerField(default=0, db_default=0, help_text="Seconds.")
    recording_url = models.TextField(null=True, blank=True)
    transcript = models.TextField(null=True, blank=True)
    ai_summary = models.TextField(null=True, blank=True, verbose_name="AI summary")
    created_at = models.DateTimeField(db_default=NOW)
    updated_at = models.DateTimeField(db_default=NOW, editable=False)
    ai_confidence = models.DecimalField(
        max_digits=3,
        decimal_places=2,
        default=Decimal("0.8"),
        db_default=Decimal("0.8"),
        verbose_name="AI confidence",
    )
    provider_status = models.TextField(
        null=True, blank=True, help_text="The provider's own word, such as busy or no-answer."
    )

    objects: ClassVar[Any] = CallManager()

    class Meta(TenantModel.Meta):
        db_table = "calls"
        ordering = ["-created_at", "-id"]
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["call_sid"],
                name="calls_call_sid_key",
                violation_error_message="A call with this SID exists already.",
            ),
            is_one_of("calls", "status", CallStatus),
            models.CheckConstraint(
                condition=Q(duration__gte=0),
                name="check_duration_positive",
                violation_error_message="A call cannot last less than 0 seconds.",
            ),
            models.CheckConstraint(
                condition=Q(ai_confidence__range=(Decimal(0), Decimal(1))),
                name="calls_ai_confidence_range",
                violation_error_message="Confidence goes from 0 to 1.",
            ),
        ]
        indexes = [
            # The schema document's.
            models.Index(fields=["phone"], name="idx_calls_phone_id"),
            # Latest calls over all lines: the admin's list.
            models.Index(fields=["-created_at"], name="idx_calls_created_at"),
            models.Index(fields=["phone", "status"], name="idx_calls_status"),
            # One caller of a line, and callers by prefix.
            models.Index(fields=["phone", "caller_number"], name="idx_calls_caller_number"),
            models.Index(
                fields=["phone", "status", "-created_at"], name="idx_calls_phone_status_date"
            ),
            # Calls that are still going on.
            models.Index(
                fields=["phone", "-created_at"],
                name="idx_active_calls",
                condition=Q(status__in=["ringing", "answered"]),
            ),
            BrinIndex(fields=["created_at"], name="idx_calls_created_brin"),
            # Ours. Latest calls of one line, page by page (keyset).
            models.Index(fields=["phone", "-created_at", "-id"], name="idx_calls_phone_created"),
            # A caller over all lines: support pastes a number.
            models.Index(fields=["caller_number", "-created_at"], name="idx_calls_caller_created"),
        ]
        triggers = [
            StampUpdatedAt("calls"),
            Refuse(
                name="calls_line_is_fixed",
                condition="OLD.phone_id IS DISTINCT FROM NEW.phone_id",
                message="A call stays with its line: phone_id cannot change.",
            ),
            Refuse(
                name="calls_status_moves_forward",
                condition=(
                    "OLD.status IS DISTINCT FROM NEW.status AND"
                    " (OLD.status IN ('completed', 'failed') OR NEW.status = 'ringing')"
                ),
                message="A call's status only moves forward:"
                " ringing, answered, then completed or failed.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.caller_number} at {self.created_at:%Y-%m-%d %H:%M} UTC"


METADATA_KEYS = pgtrigger.UpdateOf("call_id", "phone_id")  # type: ignore[no-untyped-call]


class CallMetadata(TenantModel):
    """What else is known of a call: free-form metadata, tags, the business's own fields."""

    call = models.OneToOneField(
        Call,
        primary_key=True,
        on_delete=models.DO_NOTHING,  # the database cascades
        db_constraint=False,
        related_name="metadata",
    )
    phone = line_key(related_name="call_metadata")
    metadata = models.JSONField(default=dict, db_default=EMPTY_OBJECT, blank=True)
    tags = ArrayField(models.TextField(), default=list, db_default=EMPTY_ARRAY, blank=True)
    custom_fields = models.JSONField(default=dict, db_default=EMPTY_OBJECT, blank=True)
    created_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "call_metadata"
        verbose_name = verbose_name_plural = "call metadata"
        constraints = [
            *TenantModel.Meta.constraints,
            CascadeForeignKey(column="call_id", references="calls", name="call_metadata_call"),
            is_object("call_metadata", "metadata"),
            is_object("call_metadata", "custom_fields"),
        ]
        indexes = [
            GinIndex(fields=["metadata"], name="idx_call_metadata_jsonb"),
            GinIndex(fields=["tags"], name="idx_call_tags"),
            # Deleting a line, and counting what it owns.
            models.Index(fields=["phone"], name="idx_call_metadata_phone_id"),
        ]
        triggers = [
            Trigger(
                name="call_metadata_follows_call",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | METADATA_KEYS,
                declare=[("line", "text")],
                func="""
                    SELECT phone_id INTO line FROM public.calls WHERE id = NEW.call_id;
                    IF NEW.phone_id IS NULL THEN
                        NEW.phone_id = line;
                    ELSIF NEW.phone_id IS DISTINCT FROM line THEN
                        RAISE EXCEPTION 'Metadata belongs to the line of its call.'
                            USING ERRCODE = 'check_violation',
                            TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"metadata of call {self.call_id}"


class CallArchive(TenantModel):
    """A call older than the retention of `calls`, with its metadata; partitioned by month.

    The columns of `calls` come first and in their order, so that INSERT … SELECT * fits.
    """

    id = models.UUIDField(primary_key=True, editable=False)  # with created_at in the database
    phone = line_key(related_name="archived_calls")
    caller_number = models.TextField(db_collation="C")
    call_sid = models.TextField(db_collation="C", verbose_name="call SID")
    status = models.TextField(choices=CallStatus.choices)
    duration = models.IntegerField(db_default=0, help_text="Seconds.")
    recording_url = models.TextField(null=True, blank=True)
    transcript = models.TextField(null=True, blank=True)
    ai_summary = models.TextField(null=True, blank=True, verbose_name="AI summary")
    created_at = models.DateTimeField(db_default=NOW)
    updated_at = models.DateTimeField(db_default=NOW)
    ai_confidence = models.DecimalField(
        max_digits=3, decimal_places=2, db_default=Decimal("0.8"), verbose_name="AI confidence"
    )
    provider_status = models.TextField(null=True, blank=True)
    metadata = models.JSONField(db_default=EMPTY_OBJECT)
    tags = ArrayField(models.TextField(), db_default=EMPTY_ARRAY)
    custom_fields = models.JSONField(db_default=EMPTY_OBJECT)
    archived_at = models.DateTimeField(db_default=NOW)

    way_in = "The archive is written by archive_calls and restore_calls alone."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "calls_archive"
        verbose_name = "archived call"
        ordering = ["-created_at", "-id"]
        constraints = [TenantRLS(tenant_may="SELECT"), LineForeignKey()]
        indexes = [
            # Latest archived calls over all lines: the admin's list.
            models.Index(fields=["-created_at", "-id"], name="idx_archive_created"),
            # One line's history, page by page (keyset).
            models.Index(fields=["phone", "-created_at", "-id"], name="idx_archive_phone_created"),
            # A late event of a call that was archived.
            models.Index(fields=["call_sid"], name="idx_archive_call_sid"),
            # A caller over all lines.
            models.Index(
                fields=["caller_number", "-created_at"], name="idx_archive_caller_created"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.caller_number} at {self.created_at:%Y-%m-%d %H:%M} UTC (archived)"
