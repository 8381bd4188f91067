"""app.top_calls(): the newest calls of the scope's line that meet the conditions; ids alone.

Under a policy PostgreSQL uses no GIN index for @> and @@, which might leak what the policy hides.
This function runs as staff, so it passes the policies, and must confine itself: every table it
reads is held to app.phone(), which raises without a scope. Each statement is planned for its own
values, since how common a word is decides between the GIN index and the calls in order of time.
"""

from django.db import migrations

TOP_CALLS = """
CREATE FUNCTION app.top_calls(
    all_tags text[] DEFAULT NULL,
    any_tags text[] DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    custom_fields jsonb DEFAULT NULL,
    words text DEFAULT NULL,
    before_at timestamptz DEFAULT NULL,
    before_id uuid DEFAULT NULL,
    at_most integer DEFAULT NULL
) RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line text := app.phone();
    tables text := 'public.calls c';
    conditions text := 'c.phone_id = $1';
BEGIN
    IF coalesce(all_tags, any_tags) IS NOT NULL OR coalesce(metadata, custom_fields) IS NOT NULL
    THEN
        tables := tables || ' JOIN public.call_metadata m ON m.call_id = c.id AND m.phone_id = $1';
        IF all_tags IS NOT NULL THEN conditions := conditions || ' AND m.tags @> $2'; END IF;
        IF any_tags IS NOT NULL THEN conditions := conditions || ' AND m.tags && $3'; END IF;
        IF metadata IS NOT NULL THEN conditions := conditions || ' AND m.metadata @> $4'; END IF;
        IF custom_fields IS NOT NULL THEN
            conditions := conditions || ' AND m.custom_fields @> $5';
        END IF;
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
    RETURN QUERY EXECUTE 'SELECT c.id FROM ' || tables || ' WHERE ' || conditions
        USING line, all_tags, any_tags, metadata, custom_fields,
            websearch_to_tsquery('app.words', words), before_at, before_id, at_most;
END
$$;
REVOKE ALL ON FUNCTION app.top_calls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.top_calls TO replytics_api, replytics_web;
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.top_calls OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0015_index_metadata_of_a_line")]

    operations = [migrations.RunSQL(TOP_CALLS, "DROP FUNCTION app.top_calls")]
