"""The words of a call stay when it is archived, and go when it is in neither place any more.

Hence no foreign key to calls; by statement, triggers do what it did, on both tables. The archiver
moves calls whose words stand already, so both triggers that would fire for each of its batches
are spared; only staff may say that they are archiving.
"""

import pgtrigger.migrations
from django.db import migrations

import tenants.triggers

FUNCTIONS = """
CREATE FUNCTION app.index_archived_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.call_search (call_id, phone_id, document)
    SELECT id, phone_id, app.call_document(transcript, ai_summary) FROM added
    WHERE transcript IS NOT NULL OR ai_summary IS NOT NULL
    ON CONFLICT (call_id) DO NOTHING;
    RETURN NULL;
END
$$;
CREATE FUNCTION app.forget_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM public.call_search s
        WHERE NOT EXISTS (SELECT FROM public.calls c WHERE c.id = s.call_id)
            AND NOT EXISTS (SELECT FROM public.calls_archive a WHERE a.id = s.call_id);
    ELSE
        DELETE FROM public.call_search s USING removed r
        WHERE s.call_id = r.id
            AND NOT EXISTS (SELECT FROM public.calls c WHERE c.id = r.id)
            AND NOT EXISTS (
                SELECT FROM public.calls_archive a
                WHERE (a.id, a.created_at) = (r.id, r.created_at)
            );
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.index_archived_words(), app.forget_words() FROM PUBLIC;
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.index_archived_words() OWNER TO replytics_staff;
ALTER FUNCTION app.forget_words() OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
"""
DROP = "DROP FUNCTION app.index_archived_words(); DROP FUNCTION app.forget_words();"
ONLY_LIVE = """
DELETE FROM call_search s WHERE NOT EXISTS (SELECT FROM calls c WHERE c.id = s.call_id)
"""
NOT_MOVED = (
    "WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on'"
    " OR current_user <> 'replytics_staff')"
)


class Migration(migrations.Migration):
    dependencies = [("calls", "0070_receive_events_at_once")]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP),
        migrations.RemoveConstraint("callsearch", "call_search_call"),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=tenants.triggers.CompiledTrigger(
                name="calls_forget_words",
                sql=tenants.triggers.SharedFunctionSql(
                    condition=NOT_MOVED,
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_forget_words",
                    referencing="REFERENCING OLD TABLE AS removed ",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=tenants.triggers.CompiledTrigger(
                name="calls_forget_all_words",
                sql=tenants.triggers.SharedFunctionSql(
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_forget_all_words",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=tenants.triggers.CompiledTrigger(
                name="calls_archive_index_words",
                sql=tenants.triggers.SharedFunctionSql(
                    condition=NOT_MOVED,
                    func="app.index_archived_words",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="calls_archive_index_words",
                    referencing="REFERENCING NEW TABLE AS added ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=tenants.triggers.CompiledTrigger(
                name="calls_archive_index_changed_words",
                sql=tenants.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.transcript IS DISTINCT FROM NEW.transcript OR OLD.ai_summary IS DISTINCT FROM NEW.ai_summary)",
                    func="app.index_call_words",
                    operation='UPDATE OF "transcript", "ai_summary"',
                    pgid="calls_archive_index_changed_words",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=tenants.triggers.CompiledTrigger(
                name="calls_archive_forgets_words",
                sql=tenants.triggers.SharedFunctionSql(
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_archive_forgets_words",
                    referencing="REFERENCING OLD TABLE AS removed ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=tenants.triggers.CompiledTrigger(
                name="calls_archive_forgets_all_words",
                sql=tenants.triggers.SharedFunctionSql(
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_archive_forgets_all_words",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        # Backwards the foreign key would refuse them.
        migrations.RunSQL(migrations.RunSQL.noop, ONLY_LIVE),
    ]
