-- Called by tenants.api.authentication, before any line is known.
--
-- The lines of one user, two at most; a subject is not to be guessed, and comes out of a signed
-- token.
CREATE OR REPLACE FUNCTION app.find_memberships(user_subject text, wanted text)
RETURNS TABLE (phone_id text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.phone_id, m.role FROM public.memberships AS m
    WHERE m.subject = user_subject AND (wanted IS NULL OR m.phone_id = wanted)
    ORDER BY m.phone_id LIMIT 2
$$;
REVOKE ALL ON FUNCTION app.find_memberships(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_memberships(text, text)
    TO replytics_api, replytics_web, replytics_staff;
