"""A number that an event names replaces a withheld caller, and SIDs may be in upper case."""

from django.db import migrations

from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0010_analyze_archive")]

    operations = [LoadFunction("calls", "merge_call", again=True)]
