"""The planner's statistics of the archive as a whole, which autovacuum does not gather."""

from django.db import migrations

from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0009_search")]

    operations = [LoadFunction("calls", "analyze_archive")]
