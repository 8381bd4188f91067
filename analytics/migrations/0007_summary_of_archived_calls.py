"""The summary counts archived calls too, whenever they were archived, as the statistics do.

The new view is filled beside the old one, which is locked for the exchange alone.
"""

from importlib import import_module

from django.db import migrations

former = import_module("analytics.migrations.0006_summary_of_known_durations")
CALLS = """
FROM public.calls
WHERE created_at >= NOW() - INTERVAL '30 days'
"""
COLUMNS = "phone_id, duration, caller_number, status, provider_status"
ALL_CALLS = f"""
FROM (
  SELECT {COLUMNS} FROM public.calls WHERE created_at >= NOW() - INTERVAL '30 days'
  UNION ALL
  SELECT {COLUMNS} FROM public.calls_archive WHERE created_at >= NOW() - INTERVAL '30 days'
) AS counted
"""


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0006_summary_of_known_durations"),
        ("calls", "0008_archive"),
    ]

    operations = [
        migrations.RunSQL(
            former.NEW.replace(CALLS, ALL_CALLS) + former.EXCHANGE, former.NEW + former.EXCHANGE
        )
    ]
