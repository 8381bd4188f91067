-- Called by calls.intake.pipeline and app.add_imported_recording(), for the address of a recording
-- of a live call that a program or a file names. It runs with the owner's rights, past every
-- policy, so it names the line.
--
-- Records the provider's address, or before another one replaces it that which the call has.
-- Returns whether that is news. Of other lines' calls it looks at none.
CREATE OR REPLACE FUNCTION app.add_recording(sid text, url text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    address text;
BEGIN
    SELECT CASE WHEN app.recording_sid_of(url) IS NULL THEN recording_url ELSE url END
    INTO address FROM public.calls
    WHERE call_sid = sid AND phone_id = app.phone() FOR UPDATE;
    RETURN app.recording_sid_of(address) IS NOT NULL
        AND app.keep_call_recording(sid, jsonb_build_object('recording_url', address)) = 'applied';
END
$$;
REVOKE ALL ON FUNCTION app.add_recording(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.add_recording(text, text) TO replytics_api, replytics_web;
