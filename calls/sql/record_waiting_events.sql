-- Called by app.apply_call_event(), app.keep_call_leg() and app.give_waiting_events().
--
-- Gives the events that waited for a call or leg of this SID to the scope's line, and records what
-- they said under the call.
CREATE OR REPLACE FUNCTION app.record_waiting_events(awaited text, sid text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    waited jsonb;
BEGIN
    FOR waited IN SELECT app.adopt_call_events(awaited) LOOP
        PERFORM app.keep_call_parts(sid, waited);
    END LOOP;
END
$$;
