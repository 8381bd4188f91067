-- Called by calls.intake.imports.file_legs and calls.intake.imports.waiting: rows of these calls
-- take turns with their events (app.apply_call_event). In one order, so that two do not deadlock.
CREATE OR REPLACE FUNCTION app.lock_calls(sids text[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(sid, 0) AS key FROM unnest(sids) AS sid ORDER BY key
    ) AS keys;
    PERFORM app.await_import();
END
$$;
