-- Called by calls.search and calls.api.page.
--
-- The newest calls of the scope's line that meet the conditions; ids alone.
--
-- Under a policy PostgreSQL uses no GIN index for @> and @@, which might leak what the policy
-- hides. This function runs as staff, so it passes the policies, and must confine itself: every
-- table it reads is held to app.phone(), which raises without a scope. Each statement is planned
-- for its own values, since how common a word is decides between the GIN index and the calls in
-- order of time.
--
-- Of values inside metadata and custom fields the planner knows nothing, and takes a condition on
-- them to hold for 1 % of the calls. Where one holds for fewer it would go through the calls of a
-- big line in order of time, ten thousand of them for a page. So a page is looked for among the
-- newest calls (look_first), and the rest of it by the GIN index. A search without a limit takes
-- the ids from the table that it searches, without a look at each call.
CREATE OR REPLACE FUNCTION app.top_calls(
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
REVOKE ALL ON FUNCTION app.top_calls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.top_calls TO replytics_api, replytics_web;
-- Its owner passes the policies and needs CREATE only for as long as it takes to become that.
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.top_calls OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
