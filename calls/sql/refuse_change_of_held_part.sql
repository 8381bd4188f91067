-- Called by the triggers …_hold_keeps_rows and …_hold_keeps_evidence of call_legs, call_recordings
-- and call_decisions, whose rows belong to a live call by its SID. Decisions have the provider's, also
-- while the call is claimed.
CREATE OR REPLACE FUNCTION app.refuse_change_of_held_part() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.calls
        WHERE call_sid IN (OLD.call_sid, app.claimed_sid(OLD.call_sid, OLD.phone_id))
            AND phone_id = OLD.phone_id AND legal_hold)
    THEN
        RAISE EXCEPTION 'The call is under legal hold: what is known of it cannot be changed or deleted until staff release the hold.'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
REVOKE ALL ON FUNCTION app.refuse_change_of_held_part() FROM PUBLIC;
