"""A call under legal hold stays, with all that is known of it."""

import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0015_legal_holds")]

    operations = [
        LoadFunction("calls", "require_legal_hold"),
        LoadFunction("calls", "refuse_delete_under_hold"),
        migrations.AlterField(
            model_name="call",
            name="legal_hold",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Set while a legal hold of this call is in force.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_hold_is_recorded",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (NEW.legal_hold)",
                    func="app.require_legal_hold",
                    operation="INSERT",
                    pgid="calls_hold_is_recorded",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_hold_follows_record",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.legal_hold IS DISTINCT FROM NEW.legal_hold)",
                    func="app.require_legal_hold",
                    operation="UPDATE",
                    pgid="calls_hold_follows_record",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_hold_keeps_evidence",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.legal_hold AND ((OLD.id IS NOT NULL AND OLD.id IS DISTINCT FROM NEW.id OR OLD.recording_url IS NOT NULL AND OLD.recording_url IS DISTINCT FROM NEW.recording_url OR OLD.transcript IS NOT NULL AND OLD.transcript IS DISTINCT FROM NEW.transcript OR OLD.ai_summary IS NOT NULL AND OLD.ai_summary IS DISTINCT FROM NEW.ai_summary) OR OLD.call_sid <> NEW.call_sid AND OLD.call_sid <> app.claimed_sid(NEW.call_sid, NEW.phone_id) OR OLD.caller_number <> 'unknown' AND OLD.caller_number <> NEW.caller_number))",
                    func="RAISE EXCEPTION 'The call is under legal hold: what is known of it cannot be changed or deleted until staff release the hold.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_hold_keeps_evidence",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_hold_keeps_rows",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.legal_hold)",
                    func="app.refuse_delete_under_hold",
                    operation="DELETE",
                    pgid="calls_hold_keeps_rows",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_hold_refuses_truncate",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_truncate_under_hold",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_hold_refuses_truncate",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
    ]
