"""The words of a call stay when it is archived, and go when it is in neither place any more.

By statement, triggers do what the foreign key of call_search did until now. The archiver moves
calls whose words stand already, so those that would fire for each of its batches are spared; only
staff may say that they are archiving.
"""

import pgtrigger.migrations
from django.db import migrations

import database.triggers

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
NOT_MOVED = (
    "WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on'"
    " OR current_user <> 'replytics_staff')"
)


class Migration(migrations.Migration):
    dependencies = [("calls", "0070_receive_events_at_once")]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_forget_words",
                sql=database.triggers.SharedFunctionSql(
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
            trigger=database.triggers.CompiledTrigger(
                name="calls_forget_all_words",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_forget_all_words",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
    ]
