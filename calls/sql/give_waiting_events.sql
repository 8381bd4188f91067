-- Called by calls.intake.imports.waiting, as staff: a call that a file brought, or will bring (writes
-- is false in a dry run), gets what waited for it. Returns the SIDs of the legs.
CREATE OR REPLACE FUNCTION app.give_waiting_events(sid text, line text, writes boolean)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT e.parsed->>'leg_sid' FROM public.call_events AS e
    WHERE e.call_sid = sid AND e.outcome = 'waiting' AND e.parsed ? 'leg_sid'
        AND app.may_wait_for(e, line);
    IF writes THEN
        PERFORM set_config('app.phone_id', line, true);
        PERFORM app.record_waiting_events(sid, sid);
        PERFORM set_config('app.phone_id', '', true);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION app.give_waiting_events(text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.give_waiting_events(text, text, boolean) TO replytics_staff;
