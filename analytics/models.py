"""WHAT IT MEANS: statistics of calls, which only the roll-ups write.

analytics.definitions has what each number means.
"""

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from django.db import models

from analytics.line_health.models import LineCheck as LineCheck
from analytics.line_health.models import QuietLine as QuietLine
from analytics.line_health.models import UsualCalls as UsualCalls
from analytics.queueing import CountedArchivedCall as CountedArchivedCall
from analytics.queueing import CountedCall as CountedCall
from analytics.queueing import CountedLine as CountedLine
from backoffice.display import plural
from database.columns import NOW
from tenancy.constraints import ApiRights, TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantModel
from tenancy.readonly import ReadOnlyManager

ONLY_ROLL_UP = "Only roll_up_calls writes statistics: change the calls and the statistics follow."


class CallAnalytics(TenantModel):
    """The calls of one line that began in one hour, UTC."""

    pk = models.CompositePrimaryKey("date_bucket", "phone_id")
    phone = TenantForeignKey(related_name="hourly_stats")
    date_bucket = models.DateTimeField(help_text="Start of the hour, UTC.")
    total_calls = models.IntegerField(default=0, db_default=0)
    answered_calls = models.IntegerField(default=0, db_default=0)
    successful_calls = models.IntegerField(default=0, db_default=0)
    live_calls = models.IntegerField(default=0, db_default=0)
    measured_calls = models.IntegerField(default=0, db_default=0)
    total_duration = models.BigIntegerField(default=0, db_default=0)
    unique_callers = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=NOW)

    write_via = ONLY_ROLL_UP
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "call_analytics"
        verbose_name = verbose_name_plural = "hourly statistics"
        ordering = ["-date_bucket", "phone"]
        constraints = [TenantRLS(tenant_may="SELECT"), ApiRights("SELECT"), TenantKeyConstraint()]
        indexes = [
            # Hours of one line; the primary key begins with the hour and serves all lines.
            models.Index(fields=["phone", "date_bucket"], name="idx_analytics_phone_date"),
        ]

    def __str__(self) -> str:
        return f"{plural(self.total_calls, 'call')} from {self.date_bucket:%Y-%m-%d %H:%M} UTC"


class DailyCallStats(TenantModel):
    """The calls of one line that began on one day of the line's own timezone."""

    pk = models.CompositePrimaryKey("phone_id", "date")
    phone = TenantForeignKey(related_name="daily_stats")
    date = models.DateField()
    total_calls = models.IntegerField(default=0, db_default=0)
    answered_calls = models.IntegerField(default=0, db_default=0)
    successful_calls = models.IntegerField(default=0, db_default=0)
    live_calls = models.IntegerField(default=0, db_default=0)
    measured_calls = models.IntegerField(default=0, db_default=0)
    total_duration = models.IntegerField(default=0, db_default=0)
    average_duration = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    unique_callers = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=NOW)
    callers_exact = models.BooleanField(
        default=True,
        db_default=True,
        help_text="False if unique_callers is an upper bound; see SealedMonth.",
    )

    write_via = ONLY_ROLL_UP
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "daily_call_stats"
        verbose_name = verbose_name_plural = "daily statistics"
        ordering = ["-date", "phone"]
        constraints = [TenantRLS(tenant_may="SELECT"), ApiRights("SELECT"), TenantKeyConstraint()]
        indexes = [
            # One day over all lines.
            models.Index(fields=["-date"], name="idx_daily_stats_date"),
        ]

    def __str__(self) -> str:
        return f"{plural(self.total_calls, 'call')} on {self.date}"


class CallAnalyticsRow(TenantModel):
    """A row of call_analytics under a single-column key, since the admin supports no other."""

    key = models.TextField(primary_key=True)
    phone = TenantForeignKey(related_name="+")
    date_bucket = models.DateTimeField(verbose_name="hour", help_text="Start of the hour, UTC.")
    total_calls = models.IntegerField()
    answered_calls = models.IntegerField()
    successful_calls = models.IntegerField()
    live_calls = models.IntegerField()
    measured_calls = models.IntegerField()
    total_duration = models.BigIntegerField()
    unique_callers = models.IntegerField()
    created_at = models.DateTimeField()

    write_via = ONLY_ROLL_UP
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        managed = False
        db_table = "call_analytics_rows"
        verbose_name = verbose_name_plural = "hourly statistics"
        ordering = ["-date_bucket", "-phone_id"]
        constraints = []

    def __str__(self) -> str:
        return f"{plural(self.total_calls, 'call')} from {self.date_bucket:%Y-%m-%d %H:%M} UTC"

    @classmethod
    def columns_of(cls, key: str) -> dict[str, Any]:
        """The columns that an index finds the row of this key by. Raises ValueError."""
        phone_id, _, hour = key.rpartition("~")
        bucket = datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC)
        return {"phone_id": phone_id, "date_bucket": bucket}


class DailyCallStatsRow(TenantModel):
    """A row of daily_call_stats under a single-column key, since the admin supports no other."""

    key = models.TextField(primary_key=True)
    phone = TenantForeignKey(related_name="+")
    date = models.DateField()
    total_calls = models.IntegerField()
    answered_calls = models.IntegerField()
    successful_calls = models.IntegerField()
    live_calls = models.IntegerField()
    measured_calls = models.IntegerField()
    total_duration = models.IntegerField()
    average_duration = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    unique_callers = models.IntegerField()
    created_at = models.DateTimeField()
    callers_exact = models.BooleanField(help_text="False if unique callers is an upper bound.")

    write_via = ONLY_ROLL_UP
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        managed = False
        db_table = "daily_call_stats_rows"
        verbose_name = verbose_name_plural = "daily statistics"
        ordering = ["-date", "-phone_id"]
        constraints = []

    def __str__(self) -> str:
        return f"{plural(self.total_calls, 'call')} on {self.date}"

    @classmethod
    def columns_of(cls, key: str) -> dict[str, Any]:
        """The columns that an index finds the row of this key by. Raises ValueError."""
        phone_id, _, day = key.rpartition("~")
        return {"phone_id": phone_id, "date": date.fromisoformat(day)}


class PhonePerformance(TenantModel):
    """The last 30 days of one line; a guarded view over the materialized view of this name."""

    phone = models.OneToOneField(
        "tenants.PhoneNumber",
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="performance",
        verbose_name="line",
    )
    total_calls = models.BigIntegerField()
    avg_duration = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    unique_callers = models.BigIntegerField()
    success_rate = models.DecimalField(max_digits=20, decimal_places=4)

    write_via = "Only refresh_summary writes the summary."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        managed = False
        db_table = "phone_performance_summary"
        verbose_name = "30-day performance"
        verbose_name_plural = "30-day performance"
        ordering = ["-total_calls", "phone"]
        constraints = []

    def __str__(self) -> str:
        return f"{plural(self.total_calls, 'call')} in 30 days"


class QueuedBucket(TenantModel):
    """An hour of a line whose calls changed since it was rolled up; appended by triggers alone.

    Several rows may name the same hour: the key is unique for Django only.
    """

    outlives_line = "deleting a line deletes its calls, whose triggers append here afterwards"

    pk = models.CompositePrimaryKey("phone_id", "bucket")
    phone = TenantForeignKey(related_name="queued_buckets")
    bucket = models.DateTimeField(help_text="Start of the hour, UTC.")

    write_via = "Only triggers on calls fill this queue, and roll_up_calls empties it."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "rollup_queue"
        verbose_name = "queued hour"
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            ApiRights("SELECT"),
        ]
        indexes = [
            # The queued hours of one line, and the lines that have any.
            models.Index(fields=["phone", "bucket"], name="idx_rollup_queue_phone_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket:%Y-%m-%d %H:%M} UTC"


class SummaryRefresh(models.Model):
    """One refresh of phone_performance_summary; the latest one dates the summary."""

    shared_because = "one refresh covers all lines and reveals nothing about any"
    api_may = "SELECT"

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    class Meta:
        db_table = "summary_refreshes"
        ordering = ["-id"]
        get_latest_by = "id"

    def __str__(self) -> str:
        return f"summary as of {self.started_at:%Y-%m-%d %H:%M:%S} UTC"


class StatsVerification(models.Model):
    """One run of the truth check and the differences that it found."""

    shared_because = "one run counts all lines; staff alone may read it"

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    lines = models.IntegerField(help_text="Lines whose calls were recounted.")
    is_sample = models.BooleanField(
        default=False, db_default=False, help_text="Some lines, chosen at random, instead of all."
    )
    difference_count = models.IntegerField()
    differences = models.JSONField(help_text="The first differences.")

    class Meta:
        db_table = "stats_verifications"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{plural(self.difference_count, 'difference')} in {plural(self.lines, 'line')}"
