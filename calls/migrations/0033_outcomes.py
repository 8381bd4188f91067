"""How a call ended, by what is stored of it."""

from django.db import migrations

from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0032_decisions_of_archived_calls")]

    operations = [
        LoadFunction("calls", "call_ended_by"),
        LoadFunction("calls", "call_outcome"),
        LoadFunction("calls", "outcome"),
        LoadFunction("calls", "archived_outcome"),
    ]
