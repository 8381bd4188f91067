-- Called by the trigger legal_holds_stay.
--
-- The record of a hold goes with its line only, and not while it is in force.
CREATE OR REPLACE FUNCTION app.keep_legal_hold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.released_at IS NULL
        OR EXISTS (SELECT FROM public.phone_numbers WHERE id = OLD.phone_id)
    THEN
        RAISE EXCEPTION 'The record of a legal hold is not deleted; release it, with a reason.'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN OLD;
END
$$;
REVOKE ALL ON FUNCTION app.keep_legal_hold() FROM PUBLIC;
