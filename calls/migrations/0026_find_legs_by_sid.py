"""A leg is found by its SID, whatever the planner knows of the table; fewer triggers run for it."""

from django.db import migrations

from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0025_keep_parts_of_held_calls")]

    operations = [
        LoadFunction("calls", "call_of_leg", again=True),
        LoadFunction("calls", "keep_call_leg", again=True),
    ]
