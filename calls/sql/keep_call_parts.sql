-- Called by app.apply_call_event() and app.record_waiting_events().
--
-- Records the legs and recordings that an event reports of the call of this SID. Returns the outcome
-- of one of them, "duplicate" only if all are; NULL when the event reports none.
CREATE OR REPLACE FUNCTION app.keep_call_parts(sid text, parsed jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    outcome text;
    of_part text;
BEGIN
    IF parsed ? 'leg_sid' THEN
        outcome := app.keep_call_leg(sid, parsed);
        IF outcome IN ('waiting', 'conflict') THEN
            RETURN outcome;
        END IF;
    END IF;
    -- The leg that a Dial of this call made, as the call itself reports it.
    IF parsed ? 'dialed' THEN
        of_part := app.keep_call_leg(sid, parsed->'dialed');
        outcome := coalesce(nullif(outcome, 'duplicate'), of_part);
    END IF;
    IF parsed ? 'recording_sid' OR parsed->>'status' IS NULL THEN
        of_part := app.keep_call_recording(sid, parsed);
        outcome := coalesce(nullif(outcome, 'duplicate'), of_part);
    END IF;
    RETURN outcome;
END
$$;
