-- Called by analytics.summary: staff may refresh what only the owner can reach.
--
-- The beginning of the refresh, or NULL when another one is running. Readers are never blocked
-- (CONCURRENTLY), except that a view that was never populated cannot be refreshed that way; it has
-- nothing to show either.
CREATE OR REPLACE FUNCTION app.refresh_phone_performance_summary() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    started timestamptz := clock_timestamp();
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('app.refresh_phone_performance_summary')) THEN
        RETURN NULL;
    END IF;
    IF (SELECT relispopulated FROM pg_class
        WHERE oid = 'mv.phone_performance_summary'::regclass) THEN
        REFRESH MATERIALIZED VIEW CONCURRENTLY mv.phone_performance_summary;
    ELSE
        REFRESH MATERIALIZED VIEW mv.phone_performance_summary;
    END IF;
    INSERT INTO public.summary_refreshes (started_at, finished_at)
    VALUES (started, clock_timestamp());
    RETURN started;
END
$$;
REVOKE ALL ON FUNCTION app.refresh_phone_performance_summary() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.refresh_phone_performance_summary() TO replytics_staff;
