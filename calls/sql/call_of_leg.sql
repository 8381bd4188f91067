-- Called by app.apply_call_event(), app.keep_call_leg(), app.keep_call_recording() and
-- app.keep_file_leg(). Their rights may be the owner's, past every policy: hence the line.
--
-- The SID of the line's call that has this leg; NULL when there is none. A leg may make legs of its
-- own: they are legs of that call too.
CREATE OR REPLACE FUNCTION app.call_of_leg(line text, sid text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- By the leg first: the primary key would offer all legs of the line, in order.
    RETURN (WITH legs AS MATERIALIZED (
            SELECT l.call_sid, l.phone_id FROM public.call_legs AS l WHERE l.leg_sid = sid)
        SELECT min(call_sid) FROM legs WHERE phone_id = line);
END
$$;
