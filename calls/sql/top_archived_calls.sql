-- Called by calls.search and calls.api.page.
--
-- app.top_calls() for the archive, with the moment that tells the month. It passes the policies
-- for the same reason and confines itself likewise: every table it reads is held to app.phone(),
-- which raises without a scope.
CREATE OR REPLACE FUNCTION app.top_archived_calls(
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

    IF before_at IS NOT NULL THEN
        of_the_line := of_the_line || ' AND (c.created_at, c.id) < ($7, $8)';
    END IF;

    IF at_most IS NOT NULL AND coalesce(metadata, custom_fields) IS NOT NULL THEN
        EXECUTE calls || of_the_line || newest || '1 OFFSET $9'
            INTO edge_at, edge_id
            USING line, NULL, NULL, NULL, NULL, NULL, before_at, before_id, look_first - 1;
    END IF;

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

    FOREACH statement IN ARRAY statements LOOP
        RETURN QUERY EXECUTE statement
            USING line, all_tags, any_tags, metadata, custom_fields,
                websearch_to_tsquery('app.words', words), before_at, before_id, missing,
                edge_at, edge_id, look_first;
        GET DIAGNOSTICS found = ROW_COUNT;
        missing := missing - found;
        EXIT WHEN missing = 0;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION app.top_archived_calls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.top_archived_calls TO replytics_api, replytics_web;
-- Its owner passes the policies and needs CREATE only for as long as it takes to become that.
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.top_archived_calls OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
