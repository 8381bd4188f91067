-- Called by app.record_waiting_events().
--
-- Gives the events that waited for a call to the scope's line and returns what they said. A
-- recording's callback names no number, so before its call is known it belongs to no line.
CREATE OR REPLACE FUNCTION app.adopt_call_events(sid text) RETURNS SETOF jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    UPDATE public.call_events AS e SET phone_id = app.phone(), outcome = 'applied', reason = NULL,
        digest = CASE WHEN e.phone_id IS NOT NULL THEN e.digest END  -- the line may have the same
    WHERE e.call_sid = sid AND e.outcome = 'waiting'
        AND app.may_wait_for(e, app.phone())
    RETURNING e.parsed;
END
$$;
REVOKE ALL ON FUNCTION app.adopt_call_events(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.adopt_call_events(text)
    TO replytics_web, replytics_staff;
