-- Called by app.apply_call_event(), app.claim_call(), app.keep_call_leg(),
-- app.keep_call_recording(), app.keep_call_event() and app.telephony_lines().
--
-- Whose a call, or a call with this leg, is, and where. For SIDs that come with a right signature or key. The archive's
-- partitions are looked into for a SID that is in the archive alone. In plpgsql, which keeps its
-- plans; an SQL function that may not be inlined is planned at each call, partitions included.
CREATE OR REPLACE FUNCTION app.line_of_call(sid text)
RETURNS TABLE (phone_id text, archived boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT c.phone_id, false FROM public.calls AS c WHERE c.call_sid = sid;
    IF NOT FOUND THEN
        RETURN QUERY SELECT l.phone_id, false FROM public.call_legs AS l WHERE l.leg_sid = sid;
    END IF;
    IF NOT FOUND AND EXISTS (SELECT FROM app.archived_call_sids AS a WHERE a.call_sid = sid) THEN
        RETURN QUERY SELECT a.phone_id, true FROM public.calls_archive AS a WHERE a.call_sid = sid;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION app.line_of_call(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.line_of_call(text) TO replytics_web, replytics_staff;
