"""Tags, metadata and custom fields of one line's archived calls, in one index per month.

Few pending entries, since whichever batch fills them up waits until they are merged. Not
CONCURRENTLY, which PostgreSQL cannot do on a partitioned table: run it while the archive is small,
or build the index on each partition first and let this one attach them.
"""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models


class Migration(migrations.Migration):
    safe_because = {
        "require-concurrent-index-creation": "PostgreSQL has no other way on a partitioned table;"
        " the archiver alone writes there, and waits",
    }

    dependencies = [("calls", "0063_fill_words_of_archived_calls")]

    operations = [
        migrations.AddIndex(
            model_name="callarchive",
            index=GinIndex(
                models.F("phone"),
                models.F("tags"),
                OpClass("metadata", name="jsonb_path_ops"),
                OpClass("custom_fields", name="jsonb_path_ops"),
                name="idx_archive_search",
                gin_pending_list_limit=256,
            ),
        ),
    ]
