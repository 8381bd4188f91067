-- Called by api.rate_limit.prune_request_counts().
--
-- Deletes the counters of earlier windows: those of clients that went away, and of keys, users and
-- lines that were deleted. Skips what a request is about to use.
CREATE OR REPLACE FUNCTION app.prune_request_counts(seconds integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH deleted AS (
        DELETE FROM app.request_counts WHERE subject IN (
            SELECT subject FROM app.request_counts
            WHERE period < floor(extract(epoch FROM clock_timestamp()) / seconds)
            FOR UPDATE SKIP LOCKED
        ) RETURNING subject
    )
    SELECT count(*) FROM deleted
$$;
REVOKE ALL ON FUNCTION app.prune_request_counts(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.prune_request_counts(integer) TO replytics_web;
