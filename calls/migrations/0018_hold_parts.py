"""So do its legs and recordings."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0017_hold_metadata")]

    operations = [
        LoadFunction("calls", "refuse_change_of_held_part"),
        LoadFunction("calls", "keep_call_recording", again=True),
        LoadFunction("calls", "keep_call_leg", again=True),
        pgtrigger.migrations.AddTrigger(
            model_name="callleg",
            trigger=database.triggers.CompiledTrigger(
                name="call_legs_hold_keeps_rows",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_change_of_held_part",
                    operation="DELETE",
                    pgid="call_legs_hold_keeps_rows",
                    table="call_legs",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callleg",
            trigger=database.triggers.CompiledTrigger(
                name="call_legs_hold_keeps_evidence",
                sql=database.triggers.SharedFunctionSql(
                    condition='WHEN (OLD.phone_id IS NOT NULL AND OLD.phone_id IS DISTINCT FROM NEW.phone_id OR OLD.call_sid IS NOT NULL AND OLD.call_sid IS DISTINCT FROM NEW.call_sid OR OLD.leg_sid IS NOT NULL AND OLD.leg_sid IS DISTINCT FROM NEW.leg_sid OR OLD."to" IS NOT NULL AND OLD."to" IS DISTINCT FROM NEW."to")',
                    func="app.refuse_change_of_held_part",
                    operation="UPDATE",
                    pgid="call_legs_hold_keeps_evidence",
                    table="call_legs",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callleg",
            trigger=database.triggers.CompiledTrigger(
                name="call_legs_hold_refuses_truncate",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_truncate_under_hold",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="call_legs_hold_refuses_truncate",
                    table="call_legs",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callrecording",
            trigger=database.triggers.CompiledTrigger(
                name="call_recordings_hold_keeps_rows",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_change_of_held_part",
                    operation="DELETE",
                    pgid="call_recordings_hold_keeps_rows",
                    table="call_recordings",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callrecording",
            trigger=database.triggers.CompiledTrigger(
                name="call_recordings_hold_keeps_evidence",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.phone_id IS NOT NULL AND OLD.phone_id IS DISTINCT FROM NEW.phone_id OR OLD.call_sid IS NOT NULL AND OLD.call_sid IS DISTINCT FROM NEW.call_sid OR OLD.recording_sid IS NOT NULL AND OLD.recording_sid IS DISTINCT FROM NEW.recording_sid OR OLD.url IS NOT NULL AND OLD.url IS DISTINCT FROM NEW.url)",
                    func="app.refuse_change_of_held_part",
                    operation="UPDATE",
                    pgid="call_recordings_hold_keeps_evidence",
                    table="call_recordings",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callrecording",
            trigger=database.triggers.CompiledTrigger(
                name="call_recordings_hold_refuses_truncate",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_truncate_under_hold",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="call_recordings_hold_refuses_truncate",
                    table="call_recordings",
                    when="BEFORE",
                ),
            ),
        ),
    ]
