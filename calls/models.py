"""WHAT HAPPENED: one row per call, its metadata, and the archive of old calls."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from backoffice.held_rows import HeldRows
from calls.archival.models import ArchiveRun as ArchiveRun
from calls.archival.models import SealedMonth as SealedMonth
from calls.archival.parts import PARTS
from calls.decisions import CallDecision as CallDecision
from calls.holds.models import LegalHold as LegalHold
from calls.holds.triggers import (
    EvidenceStays,
    HeldTrigger,
    TruncateNothingHeld,
    changed,
    hold_is_recorded,
    keep_evidence,
    parts_changed,
)
from calls.intake.models import CallEvent as CallEvent
from calls.intake.models import ImportedState as ImportedState
from calls.intake.models import RefusedCallback as RefusedCallback
from calls.legs import CallLeg as CallLeg
from calls.recordings import CallRecording as CallRecording
from calls.reviews.models import CallReview as CallReview
from calls.search.query import Found, Search
from database.columns import (
    EMPTY_ARRAY,
    EMPTY_LIST,
    EMPTY_OBJECT,
    NOW,
    RANDOM_UUID,
    is_object,
    is_one_of,
)
from database.exact_json import ExactJSONField
from database.triggers import RejectUpdate, RunFunction, StampUpdatedAt, Trigger
from tenancy.constraints import ApiRights, CascadeForeignKey, TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet
from tenancy.readonly import ReadOnlyManager
from tenancy.triggers import MatchParentTenant
from tenants.addresses import Spoilt, stored_caller_of


class CallStatus(models.TextChoices):
    """Moves forward only: ringing < answered < completed = failed."""

    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    FAILED = "failed"


LIVE = [CallStatus.RINGING, CallStatus.ANSWERED]
ENDED = [CallStatus.COMPLETED, CallStatus.FAILED]
# Calls below it are reviewed by people.
LOW_CONFIDENCE = Decimal("0.5")
# Of a call of which nobody gave a confidence.
DEFAULT_CONFIDENCE = Decimal("0.8")
# provider_status of a call that we ended because no more events came; the only end that a later
# event of the provider overrules.
TIMED_OUT = "timed-out"


class CallQuerySet(TenantQuerySet["Call"]):
    def live(self) -> "CallQuerySet":
        """Calls in progress."""
        return self.filter(status__in=LIVE)

    def within(self, period: timedelta, *, now: datetime) -> "CallQuerySet":
        """Calls that began at most `period` before `now`."""
        return self.filter(created_at__gte=now - period)

    def search(
        self,
        *,
        all_tags: Sequence[str] | None = None,
        any_tags: Sequence[str] | None = None,
        metadata: dict[str, Any] | None = None,
        custom_fields: dict[str, Any] | None = None,
        words: str | None = None,
        limit: int | None = None,
        before: tuple[datetime, uuid.UUID] | None = None,
    ) -> "CallQuerySet":
        """Calls that meet every condition given, by an index whatever the scope.

        words is what people type into search engines: all words, "a phrase", or, -not. metadata
        and custom_fields match when they contain the given object.

        limit keeps the newest so many matches, before other filters apply: the fast way to a page
        of nothing but this search, of which `before`, the (created_at, id) of a page's last row,
        gives the next one. Without a limit other filters may narrow the result.
        """
        search = Search(
            all_tags=all_tags,
            any_tags=any_tags,
            metadata=metadata,
            custom_fields=custom_fields,
            words=words,
            limit=limit,
            before=before,
        )
        if search.is_empty():
            return self.all()
        return self.filter(Found(search)) if search.can_match() else self.none()


CallManager = TenantManager.from_queryset(CallQuerySet)


CALL_SID = pgtrigger.UpdateOf("call_sid")  # type: ignore[no-untyped-call]
TEXTS = pgtrigger.UpdateOf("transcript", "ai_summary")  # type: ignore[no-untyped-call]
OTHER_TEXTS = (
    "OLD.transcript IS DISTINCT FROM NEW.transcript"
    " OR OLD.ai_summary IS DISTINCT FROM NEW.ai_summary"
)
ADDED = pgtrigger.Referencing(new="added")  # type: ignore[no-untyped-call]
REMOVED = pgtrigger.Referencing(old="removed")  # type: ignore[no-untyped-call]


class IndexWords(RunFunction):
    """Maintains call_search; a change of status alone does not run it."""

    when = pgtrigger.After
    func = "app.index_call_words"

    def __init__(self, *, name: str, operation: Any, condition: str) -> None:
        super().__init__(name=name, operation=operation, condition=pgtrigger.Condition(condition))


class StatementTrigger(RunFunction):
    """Runs once for all rows of a statement."""

    when = pgtrigger.After
    level = pgtrigger.Statement


# Calls moved by the archiver keep their words. Only staff can set app.archiving.
NOT_MOVED = (
    "current_setting('app.archiving', true) IS DISTINCT FROM 'on'"
    " OR current_user <> 'replytics_staff'"
)

# Of a held call nothing that is known changes; what the provider or the AI has still to report,
# such as the end of a call in progress or its first recording, is filled in.
EVIDENCE = ["id", "recording_url", "transcript", "ai_summary"]
HELD_CALL_CHANGED = (
    f"OLD.legal_hold AND ({changed(EVIDENCE)}"
    # The provider may confirm the SID that a line claimed.
    " OR OLD.call_sid <> NEW.call_sid"
    " AND OLD.call_sid <> app.claimed_sid(NEW.call_sid, NEW.phone_id)"
    " OR OLD.caller_number <> 'unknown' AND OLD.caller_number <> NEW.caller_number)"
)
# A row for the archive as it comes from calls alone.
WITHOUT_PARTS = " AND ".join(f"NEW.{part.column} = '[]'" for part in PARTS)
# A late event may still add to these of an archived call.
GROWING = "'{legal_hold,updated_at,recording_url,legs,recordings,decisions}'::text[]"
HELD_ARCHIVED_CALL_CHANGED = (
    f"OLD.legal_hold AND (to_jsonb(OLD) - {GROWING} IS DISTINCT FROM to_jsonb(NEW) - {GROWING}"
    f" OR {changed(['recording_url'])}"
    f" OR {' OR '.join(parts_changed(part.column, part.table) for part in PARTS)})"
)


class Call(TenantModel):
    """A call that a line received."""

    held_rows = HeldRows(Q(legal_hold=True), "under legal hold")
    unique_over_all_lines = {
        "call_sid": "a provider's event names its call by the SID alone, and intake is idempotent"
        " by it; the provider makes SIDs at random, so none can be guessed"
    }

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="calls")
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
    provider_status = models.TextField(
        null=True, blank=True, help_text="The provider's own status, such as busy or no-answer."
    )
    legal_hold = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Set while a legal hold of this call is in force.",
        editable=False,
    )
    ai_confidence = models.DecimalField(
        max_digits=3,
        decimal_places=2,
        default=DEFAULT_CONFIDENCE,
        db_default=DEFAULT_CONFIDENCE,
        verbose_name="AI confidence",
    )

    objects: ClassVar[Any] = CallManager()

    class Meta(TenantModel.Meta):
        db_table = "calls"
        ordering = ["-created_at", "-id"]
        permissions = [
            ("hold_call", "Can put calls under legal hold and release them"),
            ("export_call", "Can export calls"),
            ("review_call", "Can review calls and correct their summaries"),
        ]
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights("SELECT, UPDATE (recording_url, transcript, ai_summary, ai_confidence)"),
            models.UniqueConstraint(
                fields=["call_sid"],
                name="calls_call_sid_key",
                violation_error_message="A call with this SID already exists.",
            ),
            is_one_of("calls", "status", CallStatus),
            models.CheckConstraint(
                condition=Q(duration__gte=0),
                name="check_duration_positive",
                violation_error_message="Duration must be 0 seconds or more.",
            ),
            models.CheckConstraint(
                condition=Q(ai_confidence__range=(Decimal(0), Decimal(1))),
                name="calls_ai_confidence_range",
                violation_error_message="Confidence must be from 0 to 1.",
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
            # Calls of low confidence, latest first, a few in a hundred: the list, and the review
            # queue, which is counted in the index alone.
            models.Index(
                fields=["-created_at", "-id"],
                include=["phone", "status"],
                name="idx_calls_waiting",
                condition=Q(ai_confidence__lt=LOW_CONFIDENCE),
            ),
            # Calls under legal hold, latest first: very few.
            models.Index(
                fields=["-created_at", "-id"],
                name="idx_calls_legal_hold",
                condition=Q(legal_hold=True),
            ),
            # Calls that ended otherwise than by an answer and its end, by the provider's word:
            # the rare outcomes, such as failed_at_provider.
            models.Index(
                fields=["phone", "provider_status", "-created_at", "-id"],
                name="idx_calls_not_answered",
                condition=Q(status=CallStatus.FAILED) | Q(provider_status=TIMED_OUT),
            ),
        ]
        triggers = [
            StampUpdatedAt("calls"),
            IndexWords(
                name="calls_index_words",
                operation=pgtrigger.Insert,
                condition="NEW.transcript IS NOT NULL OR NEW.ai_summary IS NOT NULL",
            ),
            IndexWords(
                name="calls_index_changed_words",
                operation=TEXTS,
                condition=OTHER_TEXTS,
            ),
            StatementTrigger(
                name="calls_forget_words",
                operation=pgtrigger.Delete,
                referencing=REMOVED,
                condition=pgtrigger.Condition(NOT_MOVED),
                func="app.forget_words",
            ),
            StatementTrigger(
                name="calls_forget_all_words",
                operation=pgtrigger.Truncate,
                func="app.forget_words",
            ),
            StatementTrigger(
                name="calls_forget_parts",
                operation=pgtrigger.Delete,
                referencing=REMOVED,
                condition=pgtrigger.Condition(NOT_MOVED),
                func="app.forget_call_parts",
            ),
            StatementTrigger(
                name="calls_forget_all_parts",
                operation=pgtrigger.Truncate,
                func="app.forget_call_parts",
            ),
            RejectUpdate(
                name="calls_line_is_fixed",
                condition="OLD.phone_id IS DISTINCT FROM NEW.phone_id",
                message="A call stays with its line: phone_id cannot change.",
            ),
            RejectUpdate(
                name="calls_status_moves_forward",
                condition=(
                    "OLD.status IS DISTINCT FROM NEW.status AND (NEW.status = 'ringing' OR"
                    " OLD.status IN ('completed', 'failed') AND"
                    f" (OLD.provider_status IS DISTINCT FROM '{TIMED_OUT}'"
                    f" OR NEW.provider_status IS NOT DISTINCT FROM '{TIMED_OUT}'))"
                ),
                message="A call's status only moves forward:"
                " ringing, answered, then completed or failed.",
            ),
            *hold_is_recorded("calls"),
            EvidenceStays(name="calls_hold_keeps_evidence", condition=HELD_CALL_CHANGED),
            HeldTrigger(
                name="calls_hold_keeps_rows",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.legal_hold"),
                func="app.refuse_delete_under_hold",
            ),
            TruncateNothingHeld(name="calls_hold_refuses_truncate"),
            RunFunction(
                name="calls_parts_follow_sid",
                when=pgtrigger.After,
                operation=CALL_SID,
                condition=pgtrigger.Condition("OLD.call_sid <> NEW.call_sid"),
                func="app.move_call_parts",
            ),
            RunFunction(
                name="calls_sid_not_archived",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | CALL_SID,
                func="app.refuse_archived_sid",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.caller_number} at {self.created_at:%Y-%m-%d %H:%M} UTC"

    def clean(self) -> None:
        """A caller that is typed in becomes what an event or a file would have made of it."""
        if self._state.adding:
            try:
                self.caller_number = stored_caller_of(self.caller_number)
            except Spoilt as reason:
                raise ValidationError({"caller_number": f"This {reason}."}) from None


class CallMetadata(TenantModel):
    """Free-form metadata, tags and custom fields of a call."""

    held_rows = HeldRows(Q(call__legal_hold=True), "of a call under legal hold")
    call = models.OneToOneField(
        Call,
        primary_key=True,
        on_delete=models.DO_NOTHING,  # the database cascades
        db_constraint=False,
        related_name="metadata",
    )
    phone = TenantForeignKey(related_name="call_metadata")
    metadata = ExactJSONField(default=dict, db_default=EMPTY_OBJECT, blank=True)
    tags = ArrayField(models.TextField(), default=list, db_default=EMPTY_ARRAY, blank=True)
    custom_fields = ExactJSONField(default=dict, db_default=EMPTY_OBJECT, blank=True)
    created_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "call_metadata"
        verbose_name = verbose_name_plural = "call metadata"
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights("SELECT, INSERT, UPDATE (metadata, tags, custom_fields)"),
            CascadeForeignKey(column="call_id", references="calls", name="call_metadata_call"),
            is_object("call_metadata", "metadata"),
            is_object("call_metadata", "custom_fields"),
        ]
        indexes = [
            GinIndex(fields=["metadata"], name="idx_call_metadata_jsonb"),
            GinIndex(fields=["tags"], name="idx_call_tags"),
            # What app.top_calls() looks up: each column by itself or any of them together.
            GinIndex(
                "phone",
                "tags",
                OpClass("metadata", name="jsonb_path_ops"),
                OpClass("custom_fields", name="jsonb_path_ops"),
                name="idx_call_metadata_search",
            ),
            # Deleting a line, and counting what it owns.
            models.Index(fields=["phone"], name="idx_call_metadata_phone_id"),
            # The calls of two outcomes, which may be rare on a line. Row level security lets a
            # partial index through, other than a GIN index.
            models.Index(
                fields=["phone"],
                name="idx_call_metadata_messages",
                condition=Q(metadata__contains={"message_taken": True}),
            ),
            models.Index(
                fields=["phone"],
                name="idx_call_metadata_ended_by_us",
                condition=Q(metadata__contains={"ended_by": "us"}),
            ),
        ]
        triggers = [
            MatchParentTenant(
                name="call_metadata_follows_call",
                column="call_id",
                references="calls",
                message="Metadata belongs to the line of its call.",
            ),
            *keep_evidence(
                "call_metadata", ["call_id", "metadata", "tags", "custom_fields", "created_at"]
            ),
        ]

    def __str__(self) -> str:
        return f"metadata of call {self.call_id}"


class CallSearch(TenantModel):
    """The words of a call's transcript and summary; no row for a call that has neither.

    A table of its own keeps `calls` narrow and its updates free of GIN entries. The call is live
    or archived: triggers delete its words with it, since a foreign key refers to one table only.
    """

    call = models.OneToOneField(
        Call,
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    phone = TenantForeignKey(related_name="+")
    document = SearchVectorField()

    write_via = "Only triggers write the search table: change the call and the words follow."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "call_search"
        verbose_name = verbose_name_plural = "words of calls"
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            TenantKeyConstraint(),
        ]
        indexes = [
            # What app.top_calls() looks up.
            GinIndex(fields=["phone", "document"], name="idx_call_search_words"),
        ]

    def __str__(self) -> str:
        return f"words of call {self.call_id}"


class CallArchive(TenantModel):
    """A call older than the retention of `calls`, with its metadata; partitioned by month.

    The columns of `calls` come first and in their order, so that INSERT … SELECT * fits.
    """

    held_rows = HeldRows(Q(legal_hold=True), "under legal hold")
    id = models.UUIDField(primary_key=True, editable=False)  # with created_at in the database
    phone = TenantForeignKey(related_name="archived_calls")
    caller_number = models.TextField(db_collation="C")
    call_sid = models.TextField(db_collation="C", verbose_name="call SID")
    status = models.TextField(choices=CallStatus.choices)
    duration = models.IntegerField(db_default=0, help_text="Seconds.")
    recording_url = models.TextField(null=True, blank=True)
    transcript = models.TextField(null=True, blank=True)
    ai_summary = models.TextField(null=True, blank=True, verbose_name="AI summary")
    created_at = models.DateTimeField(db_default=NOW)
    updated_at = models.DateTimeField(db_default=NOW)
    provider_status = models.TextField(null=True, blank=True)
    legal_hold = models.BooleanField(db_default=False)
    ai_confidence = models.DecimalField(
        max_digits=3, decimal_places=2, db_default=DEFAULT_CONFIDENCE, verbose_name="AI confidence"
    )
    metadata = ExactJSONField(db_default=EMPTY_OBJECT)
    tags = ArrayField(models.TextField(), db_default=EMPTY_ARRAY)
    custom_fields = ExactJSONField(db_default=EMPTY_OBJECT)
    metadata_created_at = models.DateTimeField(
        null=True, help_text="Unset for a call that had no metadata."
    )
    archived_at = models.DateTimeField(db_default=NOW)
    legs = models.JSONField(db_default=EMPTY_LIST, help_text="Rows of call_legs.")
    recordings = models.JSONField(db_default=EMPTY_LIST, help_text="Rows of call_recordings.")
    decisions = ExactJSONField(db_default=EMPTY_LIST, help_text="Rows of call_decisions.")

    write_via = "Only archive_calls and restore_calls write the archive."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "calls_archive"
        verbose_name = "archived call"
        ordering = ["-created_at", "-id"]
        constraints = [TenantRLS(tenant_may="SELECT"), ApiRights("SELECT"), TenantKeyConstraint()]
        indexes = [
            # What app.top_archived_calls() looks up, as of live calls in their metadata.
            GinIndex(
                "phone",
                "tags",
                OpClass("metadata", name="jsonb_path_ops"),
                OpClass("custom_fields", name="jsonb_path_ops"),
                name="idx_archive_search",
                gin_pending_list_limit=256,
            ),
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
        triggers = [
            # A bare INSERT … SELECT of deleted calls would lose their metadata to the cascade. The
            # archiver has joined it already, and says so.
            Trigger(
                name="calls_archive_keeps_metadata",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.metadata_created_at IS NULL"
                    " AND current_setting('app.archiving', true) IS DISTINCT FROM 'on'"
                ),
                declare=[("kept", "public.call_metadata")],
                func="""
                    SELECT * INTO kept FROM public.call_metadata WHERE call_id = NEW.id;
                    IF FOUND THEN
                        NEW.metadata = kept.metadata;
                        NEW.tags = kept.tags;
                        NEW.custom_fields = kept.custom_fields;
                        NEW.metadata_created_at = kept.created_at;
                    END IF;
                    RETURN NEW;
                """,
            ),
            # The same for legs, recordings and decisions.
            Trigger(
                name="calls_archive_keeps_parts",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    f"{WITHOUT_PARTS}"
                    " AND current_setting('app.archiving', true) IS DISTINCT FROM 'on'"
                ),
                func=f"""
                    SELECT {", ".join(part.folded("NEW") for part in PARTS)}
                    INTO {", ".join(f"NEW.{part.column}" for part in PARTS)};
                    RETURN NEW;
                """,
            ),
            StatementTrigger(
                name="calls_archive_remembers_sids",
                operation=pgtrigger.Insert,
                referencing=ADDED,
                func="app.remember_archived_sids",
            ),
            StatementTrigger(
                name="calls_archive_forgets_sids",
                operation=pgtrigger.Delete,
                referencing=REMOVED,
                func="app.forget_archived_sids",
            ),
            StatementTrigger(
                name="calls_archive_forgets_all_sids",
                operation=pgtrigger.Truncate,
                func="app.forget_archived_sids",
            ),
            StatementTrigger(
                name="calls_archive_index_words",
                operation=pgtrigger.Insert,
                referencing=ADDED,
                condition=pgtrigger.Condition(NOT_MOVED),
                func="app.index_archived_words",
            ),
            IndexWords(
                name="calls_archive_index_changed_words",
                operation=TEXTS,
                condition=OTHER_TEXTS,
            ),
            StatementTrigger(
                name="calls_archive_forgets_words",
                operation=pgtrigger.Delete,
                referencing=REMOVED,
                func="app.forget_words",
            ),
            StatementTrigger(
                name="calls_archive_forgets_all_words",
                operation=pgtrigger.Truncate,
                func="app.forget_words",
            ),
            RejectUpdate(
                name="calls_archive_sid_is_fixed",
                condition="OLD.call_sid IS DISTINCT FROM NEW.call_sid",
                message="The call_sid of an archived call cannot change.",
            ),
            *hold_is_recorded("calls_archive"),
            EvidenceStays(
                name="calls_archive_hold_keeps_evidence", condition=HELD_ARCHIVED_CALL_CHANGED
            ),
            HeldTrigger(
                name="calls_archive_hold_keeps_rows",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.legal_hold"),
                func="app.refuse_delete_under_hold",
            ),
            TruncateNothingHeld(name="calls_archive_hold_refuses_truncate"),
        ]

    def __str__(self) -> str:
        return f"{self.caller_number} at {self.created_at:%Y-%m-%d %H:%M} UTC (archived)"
