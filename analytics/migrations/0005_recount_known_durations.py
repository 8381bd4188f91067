"""Queues every hour that has numbers, so that they are of known durations alone.

Calls of sealed months cannot be counted again; the lengths of all were taken for known.
"""

from django.db import migrations

RECOUNT = """
UPDATE call_analytics SET measured_calls = total_calls WHERE measured_calls = 0;
UPDATE daily_call_stats SET measured_calls = total_calls WHERE measured_calls = 0;
INSERT INTO rollup_queue (phone_id, bucket) SELECT phone_id, date_bucket FROM call_analytics;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0004_queue_changed_provider_status")]

    operations = [migrations.RunSQL(RECOUNT, migrations.RunSQL.noop)]
