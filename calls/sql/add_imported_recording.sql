-- Called by calls.intake.imports.upsert, as staff: app.add_recording() for a call of this line.
CREATE OR REPLACE FUNCTION app.add_imported_recording(line text, sid text, url text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_new boolean;
BEGIN
    PERFORM set_config('app.phone_id', line, true);
    is_new := app.add_recording(sid, url);
    PERFORM set_config('app.phone_id', '', true);
    RETURN is_new;
END
$$;
REVOKE ALL ON FUNCTION app.add_imported_recording(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.add_imported_recording(text, text, text) TO replytics_staff;
