"""The archiver's ledger, and the months that it dropped."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from backoffice.display import plural
from database.columns import NOW, is_one_of
from tenancy.constraints import ApiRights, TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet
from tenancy.readonly import ReadOnlyManager

# A run updates heartbeat_at with each batch, which takes a second at most, and each file.
HEARTBEAT_TIMEOUT = timedelta(minutes=15)


class RunKind(models.TextChoices):
    ARCHIVE = "archive"
    RESTORE = "restore"
    DROP = "drop"
    LOAD = "load"


class RunState(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by a signal, after a batch
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # killed: what its batches had committed stands


class ArchiveRunQuerySet(TenantQuerySet["ArchiveRun"]):
    def stale(self, *, now: datetime) -> "ArchiveRunQuerySet":
        """Runs marked as running whose process must have died."""
        return self.filter(state=RunState.RUNNING, heartbeat_at__lt=now - HEARTBEAT_TIMEOUT)


ArchiveRunManager = TenantManager.from_queryset(ArchiveRunQuerySet)


class ArchiveRun(TenantModel):
    """What one run of archive_calls, restore_calls, drop_archive or load_archive did.

    Its counts are written in the transaction of the batch they count, so they hold for a run that
    was killed too. A run over all lines has no line: no tenant sees it.
    """

    id = models.BigAutoField(primary_key=True)
    phone = TenantForeignKey(related_name="archive_runs", null=True, default=None)
    kind = models.TextField(choices=RunKind.choices)
    state = models.TextField(choices=RunState.choices, default=RunState.RUNNING)
    cut_off = models.DateTimeField(null=True, help_text="Only calls that began before this time.")
    selection = models.TextField(default="", help_text="Which calls or which file.")
    calls = models.BigIntegerField(default=0)
    metadata_rows = models.BigIntegerField(default=0)
    left_live = models.BigIntegerField(default=0, help_text="Still ringing or answered.")
    left_held = models.BigIntegerField(default=0, help_text="Under legal hold.")
    remaining = models.BigIntegerField(
        default=0,
        help_text="Left for the next run: locked by others, beyond the limit, or after a stop.",
    )
    bytes = models.BigIntegerField(default=0)
    checksum = models.BigIntegerField(
        default=0, help_text="XOR of a 64-bit hash of each call: equal sets, equal checksums."
    )
    sha256 = models.TextField(default="", help_text="SHA-256 of the file.")
    batches = models.IntegerField(default=0)
    started_by = models.TextField(help_text="login@host, process")
    started_at = models.DateTimeField(db_default=NOW)
    heartbeat_at = models.DateTimeField(
        db_default=NOW, help_text="When the last batch was committed."
    )
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(default="")

    objects: ClassVar[Any] = ArchiveRunManager()

    class Meta(TenantModel.Meta):
        db_table = "archive_runs"
        ordering = ["-id"]
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            TenantKeyConstraint(),
            is_one_of("archive_runs", "kind", RunKind),
            is_one_of("archive_runs", "state", RunState),
        ]
        indexes = [
            # Deleting a line.
            models.Index(fields=["phone"], name="idx_archive_runs_phone_id"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}: {plural(self.calls, 'call')}, {self.outcome}"

    @property
    def outcome(self) -> str:
        """The state; a run whose process died is interrupted."""
        if (
            self.state == RunState.RUNNING
            and self.heartbeat_at < timezone.now() - HEARTBEAT_TIMEOUT
        ):
            return RunState.INTERRUPTED
        return self.state

    @property
    def duration(self) -> timedelta:
        return (self.ended_at or self.heartbeat_at) - self.started_at


class SealedMonth(TenantModel):
    """A month of a line whose calls drop_archive took out of the database.

    Its hours stay as they were counted last. Calls of the month that are still live, or come
    later, are not counted any more, until load_archive has brought back all that were dropped.
    """

    pk = models.CompositePrimaryKey("phone_id", "since")
    phone = TenantForeignKey(related_name="sealed_months")
    since = models.DateTimeField(help_text="Start of the month, UTC.")
    until = models.DateTimeField(help_text="Start of the next month, UTC.")
    calls = models.BigIntegerField(help_text="Dropped calls that have not been loaded again.")

    write_via = "Only drop_archive seals months, and load_archive reopens them."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "sealed_months"
        ordering = ["-since", "phone"]
        constraints = [TenantRLS(tenant_may="SELECT"), ApiRights("SELECT"), TenantKeyConstraint()]

    def __str__(self) -> str:
        return f"{self.calls} dropped calls of {self.since:%Y-%m}"
