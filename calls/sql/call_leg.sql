-- Called by app.keep_call_leg() and app.keep_file_leg(), with the owner's rights: hence the line in
-- each statement.
--
-- A leg of a call as it is known so far, live or archived; NULLs when it is not.
CREATE OR REPLACE FUNCTION app.call_leg(line text, sid text, leg text) RETURNS public.call_legs
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    known public.call_legs;
BEGIN
    SELECT * INTO known FROM public.call_legs
    WHERE (phone_id, call_sid, leg_sid) = (line, sid, leg);
    IF NOT FOUND AND EXISTS (
        SELECT FROM app.line_of_call(sid) AS c WHERE c.phone_id = line AND c.archived)
    THEN
        SELECT l.* INTO known FROM public.calls_archive AS a,
            jsonb_populate_recordset(NULL::public.call_legs, a.legs) AS l
        WHERE a.call_sid = sid AND a.phone_id = line AND l.leg_sid = leg;
        IF FOUND THEN
            known.phone_id := line;
            known.call_sid := sid;
        END IF;
    END IF;
    RETURN known;
END
$$;
