"""app.top_archived_calls(): app.top_calls() for the archive, with the moment that tells the month.

It passes the policies for the same reason and confines itself likewise: every table it reads is
held to app.phone(), which raises without a scope.
"""

from django.db import migrations

TOP_ARCHIVED_CALLS = """
CREATE FUNCTION app.top_archived_calls(
    all_tags text[] DEFAULT NULL,
    any_tags text[] DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    custom_fields jsonb DEFAULT NULL,
    words text DEFAULT NULL,
    before_at timestamptz DEFAULT NULL,
    before_id uuid DEFAULT NULL,
    at_most integer DEFAULT NULL
) RETURNS TABLE (created_at timestamptz, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    line text := app.phone();
    tables text := 'public.calls_archive c';
    conditions text := 'c.phone_id = $1';
BEGIN
    IF all_tags IS NOT NULL THEN conditions := conditions || ' AND c.tags @> $2'; END IF;
    IF any_tags IS NOT NULL THEN conditions := conditions || ' AND c.tags && $3'; END IF;
    IF metadata IS NOT NULL THEN conditions := conditions || ' AND c.metadata @> $4'; END IF;
    IF custom_fields IS NOT NULL THEN
        conditions := conditions || ' AND c.custom_fields @> $5';
    END IF;
    -- As in app.top_calls(), a call without metadata has no tags, and no empty object either.
    IF coalesce(all_tags, any_tags) IS NOT NULL OR coalesce(metadata, custom_fields) IS NOT NULL
    THEN
        conditions := conditions || ' AND c.metadata_created_at IS NOT NULL';
    END IF;
    IF words IS NOT NULL THEN
        tables := tables || ' JOIN public.call_search s ON s.call_id = c.id AND s.phone_id = $1';
        conditions := conditions || ' AND s.document @@ $6';
    END IF;
    IF before_at IS NOT NULL THEN
        conditions := conditions || ' AND (c.created_at, c.id) < ($7, $8)';
    END IF;
    IF at_most IS NOT NULL THEN
        conditions := conditions || ' ORDER BY c.created_at DESC, c.id DESC LIMIT $9';
    END IF;
    RETURN QUERY EXECUTE
        'SELECT c.created_at, c.id FROM ' || tables || ' WHERE ' || conditions
        USING line, all_tags, any_tags, metadata, custom_fields,
            websearch_to_tsquery('app.words', words), before_at, before_id, at_most;
END
$$;
REVOKE ALL ON FUNCTION app.top_archived_calls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.top_archived_calls TO replytics_api, replytics_web;
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.top_archived_calls OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0064_index_archive_search")]

    operations = [migrations.RunSQL(TOP_ARCHIVED_CALLS, "DROP FUNCTION app.top_archived_calls")]
