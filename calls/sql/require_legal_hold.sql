-- Called by the triggers …_hold_is_recorded and …_hold_follows_record of calls and calls_archive.
CREATE OR REPLACE FUNCTION app.require_legal_hold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.legal_hold IS DISTINCT FROM EXISTS (
        SELECT FROM public.legal_holds WHERE call_id = NEW.id AND released_at IS NULL
    ) THEN
        RAISE EXCEPTION 'legal_hold follows the table legal_holds: place or release a hold there.'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION app.require_legal_hold() FROM PUBLIC;
