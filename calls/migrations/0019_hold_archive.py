"""And a held call in the archive, whose partitions are guarded one by one."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers
from database.operations import LoadFunction

# TRUNCATE of a partition fires no trigger of its parent.
ON_PARTITIONS = """
DO $$ DECLARE partition regclass; BEGIN
    FOR partition IN
        SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.calls_archive'::regclass
    LOOP EXECUTE format({statement}, partition); END LOOP;
END $$
"""
ADD = """'DROP TRIGGER IF EXISTS calls_archive_hold_refuses_truncate ON %s;'
    ' CREATE TRIGGER calls_archive_hold_refuses_truncate BEFORE TRUNCATE ON %1$s'
    ' FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_truncate_under_hold()'"""
REMOVE = """'DROP TRIGGER IF EXISTS calls_archive_hold_refuses_truncate ON %s'"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0018_hold_parts")]

    operations = [
        LoadFunction("calls", "create_archive_partitions", again=True),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_hold_is_recorded",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (NEW.legal_hold)",
                    func="app.require_legal_hold",
                    operation="INSERT",
                    pgid="calls_archive_hold_is_recorded",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_hold_follows_record",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.legal_hold IS DISTINCT FROM NEW.legal_hold)",
                    func="app.require_legal_hold",
                    operation="UPDATE",
                    pgid="calls_archive_hold_follows_record",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_hold_keeps_evidence",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.legal_hold AND (to_jsonb(OLD) - '{legal_hold,updated_at,recording_url,legs,recordings}'::text[] IS DISTINCT FROM to_jsonb(NEW) - '{legal_hold,updated_at,recording_url,legs,recordings}'::text[] OR (OLD.recording_url IS NOT NULL AND OLD.recording_url IS DISTINCT FROM NEW.recording_url) OR NOT jsonb_path_query_array(NEW.legs, '$[*].leg_sid ? (@ != null)') @> jsonb_path_query_array(OLD.legs, '$[*].leg_sid ? (@ != null)') OR NOT jsonb_path_query_array(NEW.legs, '$[*].to ? (@ != null)') @> jsonb_path_query_array(OLD.legs, '$[*].to ? (@ != null)') OR NOT jsonb_path_query_array(NEW.recordings, '$[*].recording_sid ? (@ != null)') @> jsonb_path_query_array(OLD.recordings, '$[*].recording_sid ? (@ != null)') OR NOT jsonb_path_query_array(NEW.recordings, '$[*].url ? (@ != null)') @> jsonb_path_query_array(OLD.recordings, '$[*].url ? (@ != null)')))",
                    func="RAISE EXCEPTION 'The call is under legal hold: what is known of it cannot be changed or deleted until staff release the hold.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_archive_hold_keeps_evidence",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_hold_keeps_rows",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.legal_hold)",
                    func="app.refuse_delete_under_hold",
                    operation="DELETE",
                    pgid="calls_archive_hold_keeps_rows",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_hold_refuses_truncate",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_truncate_under_hold",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_archive_hold_refuses_truncate",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(
            ON_PARTITIONS.format(statement=ADD), ON_PARTITIONS.format(statement=REMOVE)
        ),
    ]
