-- Called by the triggers calls_forget_parts and calls_forget_all_parts.
--
-- Legs, recordings and decisions go with their call. Those of an archived call are in its row.
CREATE OR REPLACE FUNCTION app.forget_call_parts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM public.call_legs;
        DELETE FROM public.call_recordings;
        DELETE FROM public.call_decisions;
    ELSE
        DELETE FROM public.call_legs AS l USING removed AS r
        WHERE (l.phone_id, l.call_sid) = (r.phone_id, r.call_sid);
        DELETE FROM public.call_recordings AS l USING removed AS r
        WHERE (l.phone_id, l.call_sid) = (r.phone_id, r.call_sid);
        DELETE FROM public.call_decisions AS d USING removed AS r
        WHERE (d.phone_id, d.call_sid)
            = (r.phone_id, replace(r.call_sid, app.claimed_sid('', r.phone_id), ''));
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.forget_call_parts() FROM PUBLIC;
-- Its owner passes the policies and needs CREATE only for as long as it takes to become that.
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.forget_call_parts() OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
