"""The address of a recording that a file or program names is recorded beside others."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0028_absorb_legs"),
    ]

    operations = [
        LoadFunction("calls", "recording_sid_of"),
        LoadFunction("calls", "keep_call_recording", again=True),
        LoadFunction("calls", "add_recording"),
        LoadFunction("calls", "add_imported_recording"),
        LoadFunction("calls", "move_call_parts"),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_parts_follow_sid",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.call_sid <> NEW.call_sid)",
                    func="app.move_call_parts",
                    operation='UPDATE OF "call_sid"',
                    pgid="calls_parts_follow_sid",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
    ]
