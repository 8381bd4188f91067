"""Archiving leaves a dead row per call: autovacuum works at 2 % of the table, not at 20 %.

A status callback changes a row several times; the room that fillfactor leaves in each page lets
transcripts and recordings be added without touching an index.
"""

from django.db import migrations

TABLES = ("calls", "call_metadata")
SETTINGS = {
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_vacuum_threshold": "1000",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_delay": "1",
}
OPTIONS = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())

TUNE = [f"ALTER TABLE {table} SET ({OPTIONS})" for table in TABLES]
RESET = [f"ALTER TABLE {table} RESET ({', '.join(SETTINGS)})" for table in TABLES]


class Migration(migrations.Migration):
    dependencies = [("calls", "0033_drop_archive_partition")]

    operations = [
        migrations.RunSQL(TUNE, RESET),
        migrations.RunSQL(
            "ALTER TABLE calls SET (fillfactor = 90)", "ALTER TABLE calls RESET (fillfactor)"
        ),
    ]
