"""New partitions of the archive are granted to nobody, whatever the default privileges are."""

from django.db import migrations

from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0020_refused_callbacks")]

    operations = [LoadFunction("calls", "create_archive_partitions", again=True)]
