-- Called by app.keep_call_recording(), app.add_recording(), calls.intake.pipeline and
-- calls.intake.imports.upsert.
--
-- The SID in the provider's address of a recording; NULL for any other address.
CREATE OR REPLACE FUNCTION app.recording_sid_of(url text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substring(url FROM '/Recordings/(RE[0-9a-fA-F]{32})')
$$;
