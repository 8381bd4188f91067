"""So does its metadata."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0016_hold_calls")]

    operations = [
        LoadFunction("calls", "refuse_change_under_hold"),
        pgtrigger.migrations.AddTrigger(
            model_name="callmetadata",
            trigger=database.triggers.CompiledTrigger(
                name="call_metadata_hold_keeps_rows",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_change_under_hold",
                    operation="DELETE",
                    pgid="call_metadata_hold_keeps_rows",
                    table="call_metadata",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callmetadata",
            trigger=database.triggers.CompiledTrigger(
                name="call_metadata_hold_keeps_evidence",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.call_id IS NOT NULL AND OLD.call_id IS DISTINCT FROM NEW.call_id OR OLD.metadata IS NOT NULL AND OLD.metadata IS DISTINCT FROM NEW.metadata OR OLD.tags IS NOT NULL AND OLD.tags IS DISTINCT FROM NEW.tags OR OLD.custom_fields IS NOT NULL AND OLD.custom_fields IS DISTINCT FROM NEW.custom_fields OR OLD.created_at IS NOT NULL AND OLD.created_at IS DISTINCT FROM NEW.created_at)",
                    func="app.refuse_change_under_hold",
                    operation="UPDATE",
                    pgid="call_metadata_hold_keeps_evidence",
                    table="call_metadata",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callmetadata",
            trigger=database.triggers.CompiledTrigger(
                name="call_metadata_hold_refuses_truncate",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_truncate_under_hold",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="call_metadata_hold_refuses_truncate",
                    table="call_metadata",
                    when="BEFORE",
                ),
            ),
        ),
    ]
