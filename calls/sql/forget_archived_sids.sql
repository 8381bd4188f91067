-- Called by the triggers calls_archive_forgets_sids and calls_archive_forgets_all_sids.
CREATE OR REPLACE FUNCTION app.forget_archived_sids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE app.archived_call_sids;
    ELSE
        DELETE FROM app.archived_call_sids USING removed
        WHERE archived_call_sids.call_sid = removed.call_sid;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.forget_archived_sids() FROM PUBLIC;
