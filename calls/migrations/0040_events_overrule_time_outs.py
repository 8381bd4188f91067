"""A call that we ended, because nothing was heard of it, is ended otherwise by a later event."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers


class Migration(migrations.Migration):
    dependencies = [("calls", "0034_vacuum_calls_early")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="call",
            name="calls_status_moves_forward",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_status_moves_forward",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status AND (NEW.status = 'ringing' OR OLD.status IN ('completed', 'failed') AND (OLD.provider_status IS DISTINCT FROM 'timed-out' OR NEW.provider_status IS NOT DISTINCT FROM 'timed-out')))",
                    func="RAISE EXCEPTION 'A call''s status only moves forward: ringing, answered, then completed or failed.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_status_moves_forward",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
    ]
