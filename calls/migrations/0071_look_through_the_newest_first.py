"""app.top_calls() and its twin for the archive in less time where a line has many calls.

Of values inside metadata and custom fields the planner knows nothing, and takes a condition on them
to hold for 1 % of the calls. Where one held for fewer it went through the calls of a big line in
order of time, ten thousand of them for a page. Now a page is looked for among the newest calls, and
the rest of it by the GIN index. A search without a limit takes the ids from the table that it
searches, without a look at each call.
"""

from importlib import import_module

from django.db import migrations

live = import_module("calls.migrations.0016_top_calls")
archived = import_module("calls.migrations.0065_top_archived_calls")

# What the two functions have in common: what they take, what they know, where the newest calls end,
# and how they ask one statement after another until there are enough.
ARGUMENTS = """
    all_tags text[] DEFAULT NULL,
    any_tags text[] DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    custom_fields jsonb DEFAULT NULL,
    words text DEFAULT NULL,
    before_at timestamptz DEFAULT NULL,
    before_id uuid DEFAULT NULL,
    at_most integer DEFAULT NULL
"""
VARIABLES = """
    line text := app.phone();
    look_first constant integer := 500;
    conditions text := '';
    joins text := '';
    of_the_line text := ' WHERE c.phone_id = $1';
    newest text := ' ORDER BY c.created_at DESC, c.id DESC LIMIT ';
    statements text[];
    statement text;
    edge_at timestamptz;
    edge_id uuid;
    found integer;
    missing integer := at_most;
"""
FIND_EDGE = """
    IF before_at IS NOT NULL THEN
        of_the_line := of_the_line || ' AND (c.created_at, c.id) < ($7, $8)';
    END IF;

    IF at_most IS NOT NULL AND coalesce(metadata, custom_fields) IS NOT NULL THEN
        EXECUTE calls || of_the_line || newest || '1 OFFSET $9'
            INTO edge_at, edge_id
            USING line, NULL, NULL, NULL, NULL, NULL, before_at, before_id, look_first - 1;
    END IF;
"""
ASK = """
    FOREACH statement IN ARRAY statements LOOP
        RETURN QUERY EXECUTE statement
            USING line, all_tags, any_tags, metadata, custom_fields,
                websearch_to_tsquery('app.words', words), before_at, before_id, missing,
                edge_at, edge_id, look_first;
        GET DIAGNOSTICS found = ROW_COUNT;
        missing := missing - found;
        EXIT WHEN missing = 0;
    END LOOP;
"""
TOP_CALLS = f"""
CREATE OR REPLACE FUNCTION app.top_calls(
{ARGUMENTS}
) RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
{VARIABLES}
    calls text := 'SELECT c.created_at, c.id FROM public.calls c';
BEGIN
    IF all_tags IS NOT NULL THEN conditions := conditions || ' AND m.tags @> $2'; END IF;
    IF any_tags IS NOT NULL THEN conditions := conditions || ' AND m.tags && $3'; END IF;
    IF metadata IS NOT NULL THEN conditions := conditions || ' AND m.metadata @> $4'; END IF;
    IF custom_fields IS NOT NULL THEN
        conditions := conditions || ' AND m.custom_fields @> $5';
    END IF;
    IF conditions <> '' THEN
        joins := ' JOIN public.call_metadata m ON m.call_id = c.id AND m.phone_id = $1';
    END IF;
    IF words IS NOT NULL THEN
        conditions := conditions || ' AND s.document @@ $6';
        joins := joins || ' JOIN public.call_search s ON s.call_id = c.id AND s.phone_id = $1';
    END IF;
{FIND_EDGE}
    IF edge_id IS NOT NULL THEN
        statements := ARRAY[
            'SELECT c.id FROM (' || calls || of_the_line || newest || '$12) c'
                || joins || ' WHERE true' || conditions || newest || '$9',
            -- OFFSET 0: planned for all matches, or the order of time would seem the shorter way.
            'SELECT c.id FROM (' || calls || joins || of_the_line || conditions
                || ' AND (c.created_at, c.id) < ($10, $11) OFFSET 0) c' || newest || '$9'
        ];
    ELSIF joins <> '' AND words IS NULL AND before_at IS NULL AND at_most IS NULL THEN
        statements := ARRAY[
            'SELECT m.call_id FROM public.call_metadata m WHERE m.phone_id = $1' || conditions
        ];
    ELSE
        statements := ARRAY[
            'SELECT c.id FROM public.calls c' || joins || of_the_line || conditions
                || CASE WHEN at_most IS NULL THEN '' ELSE newest || '$9' END
        ];
    END IF;
{ASK}
END
$$;
"""
TOP_ARCHIVED_CALLS = f"""
CREATE OR REPLACE FUNCTION app.top_archived_calls(
{ARGUMENTS}
) RETURNS TABLE (created_at timestamptz, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
{VARIABLES}
    calls text := 'SELECT c.created_at, c.id FROM public.calls_archive c';
BEGIN
    IF all_tags IS NOT NULL THEN conditions := conditions || ' AND c.tags @> $2'; END IF;
    IF any_tags IS NOT NULL THEN conditions := conditions || ' AND c.tags && $3'; END IF;
    IF metadata IS NOT NULL THEN conditions := conditions || ' AND c.metadata @> $4'; END IF;
    IF custom_fields IS NOT NULL THEN
        conditions := conditions || ' AND c.custom_fields @> $5';
    END IF;
    -- As in app.top_calls(), a call without metadata has no tags, and no empty object either.
    IF conditions <> '' THEN
        conditions := conditions || ' AND c.metadata_created_at IS NOT NULL';
    END IF;
    IF words IS NOT NULL THEN
        conditions := conditions || ' AND s.document @@ $6';
        joins := ' JOIN public.call_search s ON s.call_id = c.id AND s.phone_id = $1';
    END IF;
{FIND_EDGE}
    IF edge_id IS NOT NULL THEN
        statements := ARRAY[
            'SELECT c.created_at, c.id FROM (SELECT c.* FROM public.calls_archive c'
                || of_the_line || newest || '$12) c'
                || joins || ' WHERE true' || conditions || newest || '$9',
            'SELECT c.created_at, c.id FROM (' || calls || joins || of_the_line || conditions
                || ' AND (c.created_at, c.id) < ($10, $11) OFFSET 0) c' || newest || '$9'
        ];
    ELSE
        statements := ARRAY[
            calls || joins || of_the_line || conditions
                || CASE WHEN at_most IS NULL THEN '' ELSE newest || '$9' END
        ];
    END IF;
{ASK}
END
$$;
"""
AS_STAFF = """
GRANT CREATE ON SCHEMA app TO replytics_staff;
SET LOCAL ROLE replytics_staff;
{}
RESET ROLE;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
"""


def as_staff(*functions: str) -> str:
    """In the name of their owner, whom they keep."""
    return AS_STAFF.format("".join(functions))


def as_before(sql: str) -> str:
    function, _, _ = sql.partition("REVOKE ALL")
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("calls", "0067_drop_the_narrow_index")]

    operations = [
        migrations.RunSQL(
            as_staff(TOP_CALLS, TOP_ARCHIVED_CALLS),
            as_staff(as_before(live.TOP_CALLS), as_before(archived.TOP_ARCHIVED_CALLS)),
        )
    ]
