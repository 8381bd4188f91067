"""Statistics by hour and day, the queue that keeps them exact, and the 30-day summary."""

import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction
from tenancy.constraints import protect_sql

# No key and one index: a writer pays for nothing that a reader does not need. Rows come and go, so
# they are vacuumed by number, not by share. No foreign key either: deleting a line deletes its
# calls, whose triggers append here after the line is gone; the roll-up drops such rows.
QUEUE = f"""
CREATE TABLE rollup_queue (phone_id text COLLATE "C" NOT NULL, bucket timestamptz NOT NULL)
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
          autovacuum_vacuum_insert_scale_factor = 0);
CREATE INDEX idx_rollup_queue_phone_bucket ON rollup_queue (phone_id, bucket);
{protect_sql("rollup_queue", "phone_id", tenant_may="SELECT")};
GRANT SELECT ON rollup_queue TO replytics_api;
"""

# Row level security cannot protect a materialized view. Nobody but its owner can reach schema mv;
# the view of the document's name shows staff every line and anybody else the scope's line alone.
# Each arm is a one-time filter: the other one is never executed, and without a scope it raises.
SUMMARY = """
CREATE SCHEMA mv;
REVOKE ALL ON SCHEMA mv FROM PUBLIC;
CREATE MATERIALIZED VIEW mv.phone_performance_summary AS
SELECT
  phone_id,
  COUNT(*) as total_calls,
  AVG(duration) as avg_duration,
  COUNT(DISTINCT caller_number) as unique_callers,
  COUNT(*) FILTER (WHERE status = 'completed') * 100.0 / COUNT(*) as success_rate
FROM public.calls
WHERE created_at >= NOW() - INTERVAL '30 days'
GROUP BY phone_id;
-- What REFRESH … CONCURRENTLY compares by.
CREATE UNIQUE INDEX ON mv.phone_performance_summary (phone_id);

CREATE VIEW phone_performance_summary WITH (security_barrier) AS
SELECT * FROM mv.phone_performance_summary WHERE current_user = 'replytics_staff'
UNION ALL
SELECT * FROM mv.phone_performance_summary
WHERE current_user <> 'replytics_staff' AND phone_id = (SELECT app.phone());
REVOKE ALL ON phone_performance_summary FROM PUBLIC;
GRANT SELECT ON phone_performance_summary TO replytics_api, replytics_web, replytics_staff;
"""
DROP_SUMMARY = """
DROP VIEW phone_performance_summary;
DROP MATERIALIZED VIEW mv.phone_performance_summary;
DROP SCHEMA mv;
"""

# Each row of statistics under a key of one column, as the admin needs. security_invoker: the
# reader's own rights and row level security hold on the table behind. The API reads the tables;
# through these it sees no more than there.
ROWS = """
CREATE VIEW daily_call_stats_rows WITH (security_invoker) AS
SELECT
  phone_id || '~' || to_char(date, 'YYYY-MM-DD') AS key,
  phone_id, date, total_calls, answered_calls, successful_calls, total_duration,
  average_duration, unique_callers, created_at, callers_exact
FROM daily_call_stats;

CREATE VIEW call_analytics_rows WITH (security_invoker) AS
SELECT
  phone_id || '~' || to_char(date_bucket AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS key,
  phone_id, date_bucket, total_calls, answered_calls, successful_calls, total_duration,
  unique_callers, created_at
FROM call_analytics;

REVOKE ALL ON daily_call_stats_rows, call_analytics_rows FROM PUBLIC;
GRANT SELECT ON daily_call_stats_rows, call_analytics_rows
    TO replytics_web, replytics_staff;
"""
DROP_ROWS = "DROP VIEW daily_call_stats_rows; DROP VIEW call_analytics_rows"

GRANT = """
GRANT SELECT ON summary_refreshes TO replytics_api, replytics_web, replytics_staff;
GRANT SELECT, INSERT, DELETE ON stats_verifications TO replytics_staff;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("calls", "0009_search")]

    operations = [
        migrations.CreateModel(
            name="CallAnalytics",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "date_bucket",
                        "phone_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("phone", tenancy.models.TenantForeignKey(related_name="hourly_stats")),
                ("date_bucket", models.DateTimeField(help_text="Start of the hour, UTC.")),
                ("total_calls", models.IntegerField(db_default=0, default=0)),
                (
                    "answered_calls",
                    models.IntegerField(
                        db_default=0, default=0, help_text="Answered or completed."
                    ),
                ),
                (
                    "successful_calls",
                    models.IntegerField(db_default=0, default=0, help_text="Completed."),
                ),
                (
                    "total_duration",
                    models.BigIntegerField(db_default=0, default=0, help_text="Seconds."),
                ),
                ("unique_callers", models.IntegerField(db_default=0, default=0)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
            ],
            options={
                "verbose_name": "hourly statistics",
                "verbose_name_plural": "hourly statistics",
                "db_table": "call_analytics",
                "ordering": ["-date_bucket", "phone"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["phone", "date_bucket"], name="idx_analytics_phone_date")
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="analytics_callanalytics_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.ApiRights(
                        name="analytics_callanalytics_api", rights=("SELECT")
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="analytics_callanalytics_line"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DailyCallStats",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "phone_id",
                        "date",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("phone", tenancy.models.TenantForeignKey(related_name="daily_stats")),
                ("date", models.DateField()),
                ("total_calls", models.IntegerField(db_default=0, default=0)),
                (
                    "answered_calls",
                    models.IntegerField(
                        db_default=0, default=0, help_text="Answered or completed."
                    ),
                ),
                (
                    "successful_calls",
                    models.IntegerField(db_default=0, default=0, help_text="Completed."),
                ),
                (
                    "total_duration",
                    models.IntegerField(db_default=0, default=0, help_text="Seconds."),
                ),
                (
                    "average_duration",
                    models.DecimalField(
                        decimal_places=2, help_text="Seconds.", max_digits=8, null=True
                    ),
                ),
                ("unique_callers", models.IntegerField(db_default=0, default=0)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
                (
                    "callers_exact",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="False if unique_callers is an upper bound; see SealedMonth.",
                    ),
                ),
            ],
            options={
                "verbose_name": "daily statistics",
                "verbose_name_plural": "daily statistics",
                "db_table": "daily_call_stats",
                "ordering": ["-date", "phone"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["-date"], name="idx_daily_stats_date")],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="analytics_dailycallstats_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.ApiRights(
                        name="analytics_dailycallstats_api", rights=("SELECT")
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="analytics_dailycallstats_line"),
                ],
            },
        ),
        migrations.RunSQL(ROWS, DROP_ROWS),
        migrations.CreateModel(
            name="CallAnalyticsRow",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                (
                    "date_bucket",
                    models.DateTimeField(help_text="Start of the hour, UTC.", verbose_name="hour"),
                ),
                ("total_calls", models.IntegerField()),
                ("answered_calls", models.IntegerField(help_text="Answered or completed.")),
                ("successful_calls", models.IntegerField(help_text="Completed.")),
                ("total_duration", models.BigIntegerField(help_text="Seconds.")),
                ("unique_callers", models.IntegerField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "hourly statistics",
                "verbose_name_plural": "hourly statistics",
                "db_table": "call_analytics_rows",
                "ordering": ["-date_bucket", "-phone_id"],
                "managed": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="DailyCallStatsRow",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                ("date", models.DateField()),
                ("total_calls", models.IntegerField()),
                ("answered_calls", models.IntegerField(help_text="Answered or completed.")),
                ("successful_calls", models.IntegerField(help_text="Completed.")),
                ("total_duration", models.IntegerField(help_text="Seconds.")),
                (
                    "average_duration",
                    models.DecimalField(
                        decimal_places=2, help_text="Seconds.", max_digits=8, null=True
                    ),
                ),
                ("unique_callers", models.IntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "callers_exact",
                    models.BooleanField(help_text="False if unique callers is an upper bound."),
                ),
            ],
            options={
                "verbose_name": "daily statistics",
                "verbose_name_plural": "daily statistics",
                "db_table": "daily_call_stats_rows",
                "ordering": ["-date", "-phone_id"],
                "managed": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.RunSQL(SUMMARY, DROP_SUMMARY),
        migrations.CreateModel(
            name="PhonePerformance",
            fields=[
                (
                    "phone",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="performance",
                        serialize=False,
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
                ("total_calls", models.BigIntegerField()),
                (
                    "avg_duration",
                    models.DecimalField(decimal_places=4, help_text="Seconds.", max_digits=20),
                ),
                ("unique_callers", models.BigIntegerField()),
                (
                    "success_rate",
                    models.DecimalField(
                        decimal_places=4,
                        help_text="Completed calls as a percentage of all.",
                        max_digits=20,
                    ),
                ),
            ],
            options={
                "verbose_name": "30-day performance",
                "verbose_name_plural": "30-day performance",
                "db_table": "phone_performance_summary",
                "ordering": ["-total_calls", "phone"],
                "managed": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SummaryRefresh",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField()),
            ],
            options={
                "db_table": "summary_refreshes",
                "ordering": ["-id"],
                "get_latest_by": "id",
            },
        ),
        migrations.CreateModel(
            name="StatsVerification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField()),
                ("lines", models.IntegerField(help_text="Lines whose calls were recounted.")),
                ("difference_count", models.IntegerField()),
                ("differences", models.JSONField(help_text="The first differences.")),
            ],
            options={
                "db_table": "stats_verifications",
                "ordering": ["-id"],
            },
        ),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
        migrations.RunSQL(
            QUEUE,
            "DROP TABLE rollup_queue",
            state_operations=[
                migrations.CreateModel(
                    name="QueuedBucket",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "phone_id",
                                "bucket",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("phone", tenancy.models.TenantForeignKey(related_name="queued_buckets")),
                        ("bucket", models.DateTimeField(help_text="Start of the hour, UTC.")),
                    ],
                    options={
                        "verbose_name": "queued hour",
                        "db_table": "rollup_queue",
                        "base_manager_name": "objects",
                        "default_manager_name": "objects",
                        "indexes": [
                            models.Index(
                                fields=["phone", "bucket"], name="idx_rollup_queue_phone_bucket"
                            )
                        ],
                        "constraints": [
                            tenancy.constraints.TenantRLS(
                                column="phone_id",
                                name="analytics_queuedbucket_rls",
                                tenant_may="SELECT",
                            ),
                            tenancy.constraints.ApiRights(
                                name="analytics_queuedbucket_api", rights=("SELECT")
                            ),
                        ],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="CountedCall",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("calls.call",),
        ),
        migrations.CreateModel(
            name="CountedArchivedCall",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("calls.callarchive",),
        ),
        migrations.CreateModel(
            name="CountedLine",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("tenants.phonenumber",),
        ),
        LoadFunction("analytics", "queue_new_calls"),
        LoadFunction("analytics", "queue_inserted_calls"),
        LoadFunction("analytics", "queue_updated_call"),
        LoadFunction("analytics", "queue_deleted_calls"),
        LoadFunction("analytics", "requeue_line"),
        LoadFunction("analytics", "refresh_phone_performance_summary"),
        LoadFunction("analytics", "drop_archive_partition"),
        pgtrigger.migrations.AddTrigger(
            model_name="countedcall",
            trigger=database.triggers.CompiledTrigger(
                name="calls_queue_inserted",
                sql=database.triggers.SharedFunctionSql(
                    func="app.queue_new_calls",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="calls_queue_inserted",
                    referencing="REFERENCING NEW TABLE AS inserted ",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="countedcall",
            trigger=database.triggers.CompiledTrigger(
                name="calls_queue_updated",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN ((OLD.status, OLD.duration, OLD.caller_number, OLD.created_at) IS DISTINCT FROM (NEW.status, NEW.duration, NEW.caller_number, NEW.created_at))",
                    func="app.queue_updated_call",
                    operation="UPDATE",
                    pgid="calls_queue_updated",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="countedcall",
            trigger=database.triggers.CompiledTrigger(
                name="calls_queue_deleted",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on' OR current_user <> 'replytics_staff')",
                    func="app.queue_deleted_calls",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_queue_deleted",
                    referencing="REFERENCING OLD TABLE AS deleted ",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="countedarchivedcall",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_queue_inserted",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on' OR current_user <> 'replytics_staff')",
                    func="app.queue_inserted_calls",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="calls_archive_queue_inserted",
                    referencing="REFERENCING NEW TABLE AS inserted ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="countedarchivedcall",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_queue_deleted",
                sql=database.triggers.SharedFunctionSql(
                    func="app.queue_deleted_calls",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_archive_queue_deleted",
                    referencing="REFERENCING OLD TABLE AS deleted ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="countedline",
            trigger=database.triggers.CompiledTrigger(
                name="phone_numbers_requeue",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone)",
                    func="app.requeue_line",
                    operation="UPDATE",
                    pgid="phone_numbers_requeue",
                    table="phone_numbers",
                    when="AFTER",
                ),
            ),
        ),
    ]
