"""Counts of calls in progress and of calls whose length is known, beside the others."""

from django.db import migrations, models

# New columns can only stand at the end of a view.
ROWS = """
CREATE OR REPLACE VIEW daily_call_stats_rows WITH (security_invoker) AS
SELECT
  phone_id || '~' || to_char(date, 'YYYY-MM-DD') AS key,
  phone_id, date, total_calls, answered_calls, successful_calls, total_duration,
  average_duration, unique_callers, created_at, callers_exact, live_calls, measured_calls
FROM daily_call_stats;

CREATE OR REPLACE VIEW call_analytics_rows WITH (security_invoker) AS
SELECT
  phone_id || '~' || to_char(date_bucket AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS key,
  phone_id, date_bucket, total_calls, answered_calls, successful_calls, total_duration,
  unique_callers, created_at, live_calls, measured_calls
FROM call_analytics;
"""
FORMER_ROWS = """
DROP VIEW daily_call_stats_rows;
DROP VIEW call_analytics_rows;

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


def count() -> models.IntegerField:
    return models.IntegerField(db_default=0, default=0)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_summary_for_the_owner")]

    operations = [
        migrations.AddField("callanalytics", "live_calls", count()),
        migrations.AddField("callanalytics", "measured_calls", count()),
        migrations.AddField("dailycallstats", "live_calls", count()),
        migrations.AddField("dailycallstats", "measured_calls", count()),
        migrations.RunSQL(ROWS, FORMER_ROWS),
        # What the numbers mean stands in analytics.definitions.
        migrations.AlterField("callanalytics", "answered_calls", count()),
        migrations.AlterField("callanalytics", "successful_calls", count()),
        migrations.AlterField(
            "callanalytics", "total_duration", models.BigIntegerField(db_default=0, default=0)
        ),
        migrations.AlterField("dailycallstats", "answered_calls", count()),
        migrations.AlterField("dailycallstats", "successful_calls", count()),
        migrations.AlterField("dailycallstats", "total_duration", count()),
        migrations.AlterField(
            "dailycallstats",
            "average_duration",
            models.DecimalField(decimal_places=2, max_digits=8, null=True),
        ),
    ]
