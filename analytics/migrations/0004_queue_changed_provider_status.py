"""A change of provider_status queues the hour: it may make a duration known or unknown."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_add_live_and_measured_calls")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="countedcall", name="calls_queue_updated"),
        pgtrigger.migrations.AddTrigger(
            model_name="countedcall",
            trigger=database.triggers.CompiledTrigger(
                name="calls_queue_updated",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN ((OLD.status, OLD.provider_status, OLD.duration, OLD.caller_number, OLD.created_at) IS DISTINCT FROM (NEW.status, NEW.provider_status, NEW.duration, NEW.caller_number, NEW.created_at))",
                    func="app.queue_updated_call",
                    operation="UPDATE",
                    pgid="calls_queue_updated",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
    ]
