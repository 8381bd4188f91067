"""Views that give each row of statistics a key of one column, as the admin needs.

security_invoker: the reader's own rights and row level security hold on the table behind.
"""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.models

VIEWS = """
CREATE VIEW daily_call_stats_rows WITH (security_invoker) AS
SELECT
  phone_id || '~' || to_char(date, 'YYYY-MM-DD') AS key,
  phone_id, date, total_calls, answered_calls, successful_calls, total_duration,
  average_duration, unique_callers, created_at
FROM daily_call_stats;

CREATE VIEW call_analytics_rows WITH (security_invoker) AS
SELECT
  phone_id || '~' || to_char(date_bucket AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS key,
  phone_id, date_bucket, total_calls, answered_calls, successful_calls, total_duration,
  unique_callers, created_at
FROM call_analytics;

REVOKE ALL ON daily_call_stats_rows, call_analytics_rows FROM PUBLIC;
-- The API reads the tables; through these it sees no more than there.
GRANT SELECT ON daily_call_stats_rows, call_analytics_rows
    TO replytics_api, replytics_web, replytics_staff;
"""

DROP = "DROP VIEW daily_call_stats_rows; DROP VIEW call_analytics_rows"


class Migration(migrations.Migration):
    dependencies = [("analytics", "0014_stats_verifications")]

    operations = [
        migrations.RunSQL(VIEWS, DROP),
        migrations.CreateModel(
            name="CallAnalyticsRow",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=tenancy.models.line_in_scope,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
                (
                    "date_bucket",
                    models.DateTimeField(
                        help_text="The hour's beginning, UTC.", verbose_name="hour"
                    ),
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
                "abstract": False,
                "managed": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="DailyCallStatsRow",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=tenancy.models.line_in_scope,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
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
            ],
            options={
                "verbose_name": "daily statistics",
                "verbose_name_plural": "daily statistics",
                "db_table": "daily_call_stats_rows",
                "ordering": ["-date", "-phone_id"],
                "abstract": False,
                "managed": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
    ]
