-- Called by people and programs that write SQL: SELECT c.outcome FROM calls AS c.
--
-- How a live call ended. It reads with the rights of who calls it, so that the policies hold.
CREATE OR REPLACE FUNCTION public.outcome(call public.calls) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN app.call_outcome(call.status, call.provider_status, call.duration,
        (SELECT m.metadata FROM public.call_metadata AS m WHERE m.call_id = call.id),
        ARRAY(SELECT l.status FROM public.call_legs AS l
            WHERE (l.phone_id, l.call_sid) = (call.phone_id, call.call_sid)));
END
$$;
