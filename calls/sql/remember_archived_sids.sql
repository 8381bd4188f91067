-- Called by the trigger calls_archive_remembers_sids.
--
-- Keeps app.archived_call_sids, and refuses a SID that is live.
CREATE OR REPLACE FUNCTION app.remember_archived_sids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO app.archived_call_sids SELECT call_sid FROM added;
    -- The archiver copies what the same statement deleted, and says so.
    IF current_setting('app.archiving', true) IS DISTINCT FROM 'on'
        AND EXISTS (SELECT FROM public.calls JOIN added USING (call_sid))
    THEN
        RAISE EXCEPTION 'A call cannot be live and archived at once.'
            USING ERRCODE = 'unique_violation',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.remember_archived_sids() FROM PUBLIC;
