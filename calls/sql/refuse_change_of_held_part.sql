-- Called by the triggers …_hold_keeps_rows and …_hold_keeps_evidence of call_legs and
-- call_recordings, whose rows belong to a live call by its SID.
CREATE OR REPLACE FUNCTION app.refuse_change_of_held_part() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.calls
        WHERE call_sid = OLD.call_sid AND phone_id = OLD.phone_id AND legal_hold)
    THEN
        RAISE EXCEPTION 'The call is under legal hold: what is known of it cannot be changed or deleted until staff release the hold.'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
REVOKE ALL ON FUNCTION app.refuse_change_of_held_part() FROM PUBLIC;
