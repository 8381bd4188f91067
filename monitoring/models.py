"""The tables of monitoring, which cover the whole server and are readable by staff only."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from database.columns import is_one_of
from monitoring.findings import Level

NOW = models.expressions.RawSQL("now()", ())
# By which the clock of the machine that makes backups may be ahead of this one.
CLOCKS_DIFFER = timedelta(minutes=5)
WHOLE_SERVER = "it covers the whole server; only staff may read it"


class Snapshot(models.Model):
    """The server's counters at one moment."""

    shared_because = WHOLE_SERVER

    taken_at = models.DateTimeField()
    started_at = models.DateTimeField(help_text="When the server started.")
    database_bytes = models.BigIntegerField()
    counters = models.JSONField()

    class Meta:
        db_table = "server_snapshots"
        ordering = ["-id"]
        indexes = [
            # Those of a period.
            models.Index(fields=["taken_at"], name="idx_server_snapshots_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.taken_at:%Y-%m-%d %H:%M} UTC"


class Counters(models.Model):
    """The counters of pg_stat_statements that are stored."""

    calls = models.BigIntegerField()
    total_ms = models.FloatField(verbose_name="total time", help_text="Milliseconds.")
    rows = models.BigIntegerField()
    blocks_hit = models.BigIntegerField(help_text="8 kB blocks found in the cache.")
    blocks_read = models.BigIntegerField(help_text="8 kB blocks read from disk.")
    temporary_blocks = models.BigIntegerField(help_text="8 kB blocks written to temporary files.")
    wal_bytes = models.BigIntegerField()

    class Meta:
        abstract = True


class Statement(Counters):
    """A statement of one role, with its values removed, and its counters at the last snapshot."""

    shared_because = WHOLE_SERVER

    queryid = models.BigIntegerField(help_text="PostgreSQL's hash of the statement's structure.")
    role = models.TextField()
    toplevel = models.BooleanField(help_text="Run by the client, not by a function.")
    text = models.TextField(default="", db_default="")
    first_seen_at = models.DateTimeField(db_default=NOW)

    class Meta:
        db_table = "statements"
        constraints = [
            models.UniqueConstraint(
                fields=["queryid", "role", "toplevel"], name="statements_queryid_role_toplevel_key"
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]


class StatementActivity(Counters):
    """What a statement did between two snapshots."""

    shared_because = WHOLE_SERVER

    began_at = models.DateTimeField(help_text="The time of the previous snapshot.")
    taken_at = models.DateTimeField()
    statement = models.ForeignKey(
        Statement, on_delete=models.PROTECT, db_index=False, related_name="activity"
    )

    class Meta:
        db_table = "statement_activity"
        verbose_name_plural = "statement activity"
        indexes = [
            # The last hour; retention.
            models.Index(fields=["taken_at"], name="idx_statement_activity_taken"),
            # One statement's history.
            models.Index(fields=["statement", "taken_at"], name="idx_statement_activity_of"),
        ]

    def __str__(self) -> str:
        return f"{self.calls} calls until {self.taken_at:%Y-%m-%d %H:%M} UTC"


class TableSize(models.Model):
    """The size of a table, its partitions included, at one moment."""

    shared_because = WHOLE_SERVER

    taken_at = models.DateTimeField()
    relation = models.TextField()
    bytes = models.BigIntegerField(help_text="Including indexes and TOAST.")
    index_bytes = models.BigIntegerField()
    rows = models.BigIntegerField(help_text="The planner's estimate.")
    dead_rows = models.BigIntegerField()

    class Meta:
        db_table = "table_sizes"
        indexes = [
            # Those of a period; retention.
            models.Index(fields=["taken_at"], name="idx_table_sizes_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.relation}: {self.bytes:,} bytes"


class DatabaseReport(models.Model):
    """One report with all of its findings, for the admin and for /metrics."""

    shared_because = WHOLE_SERVER

    taken_at = models.DateTimeField()
    milliseconds = models.FloatField(help_text="How long the report took.")
    level = models.TextField(choices=[(level.value, level.value) for level in Level])
    findings = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        db_table = "database_reports"
        ordering = ["-id"]
        get_latest_by = "id"

    def __str__(self) -> str:
        return f"{self.level} at {self.taken_at:%Y-%m-%d %H:%M} UTC"


class BackupKind(models.TextChoices):
    """As pgBackRest has them."""

    FULL = "full"
    DIFFERENTIAL = "diff"
    INCREMENTAL = "incr"


class Backup(models.Model):
    """A finished backup, successful or not; with evidence if somebody saw that it exists."""

    shared_because = WHOLE_SERVER

    stanza = models.TextField(
        default="", db_default="", help_text="pgBackRest's name for a cluster."
    )
    label = models.TextField()
    kind = models.TextField(choices=BackupKind.choices)
    finished_at = models.DateTimeField()
    bytes = models.BigIntegerField(null=True)
    error = models.TextField(default="", db_default="", help_text="Empty if it succeeded.")
    evidence = models.TextField(
        default="", db_default="", help_text="How it was seen to exist; empty: it was not."
    )
    path = models.TextField(default="", db_default="", help_text="Where it was seen.")
    host = models.TextField(default="", db_default="", help_text="The machine of that path.")
    recorded_at = models.DateTimeField(db_default=NOW)
    missing_since = models.DateTimeField(
        null=True, help_text="When pgBackRest, which had listed it, was found to do so no more."
    )

    class Meta:
        db_table = "backups"
        ordering = ["-finished_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stanza", "label"], name="backups_stanza_label_key"),
            is_one_of("backups", "kind", BackupKind),
            models.CheckConstraint(
                condition=models.Q(finished_at__lte=models.F("recorded_at") + CLOCKS_DIFFER),
                name="backups_finished_at_check",
                violation_error_message="A backup cannot finish in the future.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.kind})"


class HowEnded(models.TextChoices):
    CANCELLED = "cancelled", "statement cancelled"
    TERMINATED = "terminated", "terminated"


class EndedSession(models.Model):
    """A session that somebody ended, or tried to end, in the admin."""

    shared_because = WHOLE_SERVER

    ended_at = models.DateTimeField(db_default=NOW)
    by = models.TextField()
    how = models.TextField(choices=HowEnded.choices)
    reason = models.TextField()
    pid = models.IntegerField()
    login = models.TextField()
    work = models.TextField(help_text="The request, job or command that it ran.")
    state = models.TextField()
    statement = models.TextField(help_text="Its last statement, with values removed.")
    succeeded = models.BooleanField(null=True, help_text="Empty if unknown.")

    class Meta:
        db_table = "ended_sessions"
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("end_session", "Can cancel and terminate sessions of the database")]

    def __str__(self) -> str:
        return f"process {self.pid}, {self.get_how_display()} by {self.by}"


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> "AlertQuerySet":
        return self.filter(resolved_at=None)


class Alert(models.Model):
    """A bad finding, from when it was first found until it is resolved."""

    shared_because = WHOLE_SERVER

    metric = models.TextField()
    subject = models.TextField()
    label = models.TextField()
    level = models.TextField(choices=[(level.value, level.value) for level in Level])
    text = models.TextField(help_text="The latest finding.")
    value = models.FloatField(null=True)
    threshold = models.TextField(default="", db_default="")
    fix = models.TextField()
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last found.")
    resolved_at = models.DateTimeField(null=True, blank=True)
    notified_level = models.TextField(
        default="", db_default="", help_text="The worst level announced; empty if none."
    )
    notified_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    handled_by = models.TextField(default="", db_default="")
    note = models.TextField(default="", db_default="")

    objects = AlertQuerySet.as_manager()

    class Meta:
        db_table = "alerts"
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["metric", "subject"],
                condition=models.Q(resolved_at=None),
                name="alerts_metric_subject_open_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level}: {self.label}, {self.subject}"

    def is_snoozed(self, now: datetime) -> bool:
        return self.snoozed_until is not None and self.snoozed_until > now

    def acknowledge(self, *, by: str, note: str, now: datetime) -> None:
        """Somebody is working on it: no reminders unless it gets worse."""
        self.acknowledged_at, self.handled_by, self.note = now, by, note
        self.save(update_fields=["acknowledged_at", "handled_by", "note"])

    def snooze(self, *, by: str, note: str, until: datetime) -> None:
        """No notices until then, even if it is resolved and reopens; after that it is as new."""
        self.snoozed_until, self.handled_by, self.note = until, by, note
        self.acknowledged_at, self.notified_level = None, ""
        self.save(
            update_fields=[
                "snoozed_until",
                "handled_by",
                "note",
                "acknowledged_at",
                "notified_level",
            ]
        )


class Channel(models.TextChoices):
    EMAIL = "email", "e-mail"
    WEBHOOK = "webhook", "webhook"


class Notice(models.Model):
    """Changes of alerts for one channel: written with them, delivered by the worker."""

    shared_because = WHOLE_SERVER

    created_at = models.DateTimeField()
    channel = models.TextField(choices=Channel.choices)
    receiver = models.TextField(
        default="", db_default="", help_text="A hash of the addresses that it is for."
    )
    news = models.JSONField(help_text="Alerts that opened, continue or were resolved.")
    delivered_at = models.DateTimeField(null=True)
    error = models.TextField(default="", db_default="", help_text="The error of the last attempt.")

    class Meta:
        db_table = "alert_notices"
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.pk}"
