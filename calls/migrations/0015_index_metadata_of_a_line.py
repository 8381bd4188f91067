"""Tags, metadata and custom fields of one line's calls, in one index.

A GIN index of several columns serves a condition on any of them as well as an index of that
column and the line would, and lists each row under its line once instead of three times.
"""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0014_index_words")]

    operations = [
        AddIndexOnline(
            model_name="callmetadata",
            index=GinIndex(
                models.F("phone"),
                models.F("tags"),
                OpClass("metadata", name="jsonb_path_ops"),
                OpClass("custom_fields", name="jsonb_path_ops"),
                name="idx_call_metadata_search",
            ),
        ),
    ]
