"""A SID is either live or archived; a call that is moved by hand keeps its metadata."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0031_archived_call_sids"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_sid_not_archived",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_archived_sid",
                    operation='INSERT OR UPDATE OF "call_sid"',
                    pgid="calls_sid_not_archived",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_keeps_metadata",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (NEW.metadata_created_at IS NULL AND current_setting('app.archiving', true) IS DISTINCT FROM 'on')",
                    declare="DECLARE kept public.call_metadata;",
                    func="\n                    SELECT * INTO kept FROM public.call_metadata WHERE call_id = NEW.id;\n                    IF FOUND THEN\n                        NEW.metadata = kept.metadata;\n                        NEW.tags = kept.tags;\n                        NEW.custom_fields = kept.custom_fields;\n                        NEW.metadata_created_at = kept.created_at;\n                    END IF;\n                    RETURN NEW;\n                ",
                    operation="INSERT",
                    pgid="calls_archive_keeps_metadata",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_remembers_sids",
                sql=database.triggers.SharedFunctionSql(
                    func="app.remember_archived_sids",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="calls_archive_remembers_sids",
                    referencing="REFERENCING NEW TABLE AS added ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_forgets_sids",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_archived_sids",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_archive_forgets_sids",
                    referencing="REFERENCING OLD TABLE AS removed ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_forgets_all_sids",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_archived_sids",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_archive_forgets_all_sids",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_sid_is_fixed",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.call_sid IS DISTINCT FROM NEW.call_sid)",
                    func="RAISE EXCEPTION 'The call_sid of an archived call cannot change.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_archive_sid_is_fixed",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
    ]
