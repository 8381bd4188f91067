-- Called by app.merge_call() and by the upsert of imports (calls.intake.imports.upsert).
--
-- How far a call has come. Words of one status have an order too, so that the same events end in
-- the same word whatever order they came in. A call that we ended ourselves (timed-out) counts as
-- the state it was stuck in.
CREATE OR REPLACE FUNCTION app.call_progress(status text, provider_status text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN provider_status = 'timed-out' THEN CASE status WHEN 'completed' THEN 5 ELSE 3 END
        WHEN status IN ('completed', 'failed') THEN 6
        WHEN status = 'answered' THEN CASE provider_status WHEN 'in-progress' THEN 5 ELSE 4 END
        ELSE coalesce(array_position(ARRAY['queued', 'initiated', 'ringing'], provider_status), 0)
    END
$$;
