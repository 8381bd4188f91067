-- Called by app.keep_call_recording(), app.keeps_parts() and the trigger
-- call_recordings_hold_keeps_evidence.
--
-- How far a recording has come, by the provider's word for its state.
CREATE OR REPLACE FUNCTION app.recording_progress(word text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_position(ARRAY['in-progress', 'paused', 'stopped', 'processing',
        'absent', 'failed', 'completed', 'deleted'], word), 0)
$$;
