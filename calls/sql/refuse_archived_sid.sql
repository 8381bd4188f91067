-- Called by the trigger calls_sid_not_archived.
--
-- An AFTER trigger, because its snapshot includes what was committed while the INSERT waited: an
-- archiver that moved the very call away in the meantime.
CREATE OR REPLACE FUNCTION app.refuse_archived_sid() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM app.archived_call_sids WHERE call_sid = NEW.call_sid) THEN
        RAISE EXCEPTION 'A call with this SID was archived.' USING ERRCODE = 'unique_violation',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.refuse_archived_sid() FROM PUBLIC;
