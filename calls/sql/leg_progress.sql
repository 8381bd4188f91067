-- Called by app.merged_call_leg(), app.keep_call_leg(), app.keeps_parts() and the trigger
-- call_legs_hold_keeps_evidence.
--
-- How far a leg has come, by the provider's word for its status, as app.call_progress() of a call.
CREATE OR REPLACE FUNCTION app.leg_progress(word text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT app.call_progress(CASE
        WHEN word IN ('in-progress', 'answered') THEN 'answered'
        WHEN word IN ('queued', 'initiated', 'ringing') THEN 'ringing'
        WHEN word IS NOT NULL THEN 'completed' END, word)
$$;
