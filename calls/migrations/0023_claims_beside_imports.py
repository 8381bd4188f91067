"""A claim waits for an import of calls of its line."""

from django.db import migrations

from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0022_number_assignments")]

    operations = [LoadFunction("calls", "claim_call", again=True)]
