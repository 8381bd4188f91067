"""Words of one line's calls; the line first, so that a search reads no other line's entries."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0013_fill_call_search")]

    operations = [
        AddIndexOnline(
            model_name="callsearch",
            index=GinIndex(fields=["phone", "document"], name="idx_call_search_words"),
        ),
    ]
