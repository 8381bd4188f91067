-- Called by calls.archival after a run that moved calls. Autovacuum analyzes the partitions, never
-- the archive as a whole, and only the owner may do that.
CREATE OR REPLACE FUNCTION app.analyze_archive() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        EXECUTE 'ANALYZE ONLY public.calls_archive';
    ELSE
        ANALYZE public.calls_archive;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION app.analyze_archive() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.analyze_archive() TO replytics_staff;
