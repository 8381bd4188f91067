"""The archive over all lines, latest first, page by page.

Not CONCURRENTLY, which PostgreSQL cannot do on a partitioned table: run it while the archive is
small, or build the index on each partition first and let this one attach them.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0042_apply_call_events")]

    operations = [
        migrations.AddIndex(
            model_name="callarchive",
            index=models.Index(fields=["-created_at", "-id"], name="idx_archive_created"),
        ),
    ]
