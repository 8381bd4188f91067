-- Called by app.apply_call_event(). Its caller may pass the policies, so it names the line itself.
--
-- What an event does to the call it names. Each column's rule is independent of the order of
-- events: the furthest status, the longest duration, the earliest beginning, a number over a
-- withheld caller, and that over an unknown one. An address of a recording fills in a missing one;
-- the provider's recordings are kept by app.keep_call_recording(). Returns NULL when this line has
-- no such call.
CREATE OR REPLACE FUNCTION app.merge_call(sid text, parsed jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    line CONSTANT text := app.phone();
    known record;
    ahead integer;
    new_status text;
    new_provider_status text;
    new_caller text;
    new_duration integer;
    new_recording text;
    new_beginning timestamptz;
BEGIN
    SELECT id, status, provider_status, caller_number, duration, recording_url, created_at,
        legal_hold
    INTO known FROM public.calls WHERE call_sid = sid AND phone_id = line FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    new_status := known.status;
    new_provider_status := known.provider_status;
    IF parsed->>'status' IS NOT NULL THEN
        ahead := app.call_progress(parsed->>'status', parsed->>'provider_status')
            - app.call_progress(known.status, known.provider_status);
        IF ahead > 0 THEN
            new_status := parsed->>'status';
            new_provider_status := parsed->>'provider_status';
        END IF;
    END IF;
    new_caller := known.caller_number;
    IF new_caller = 'unknown' OR (new_caller = 'anonymous' AND NOT known.legal_hold) THEN
        new_caller := coalesce(parsed->>'caller_number', new_caller);
    END IF;
    new_duration := greatest(known.duration, (parsed->>'duration')::integer);
    new_recording := known.recording_url;
    IF NOT parsed ? 'recording_sid' THEN
        new_recording := coalesce(known.recording_url, parsed->>'recording_url');
    END IF;
    new_beginning := least(known.created_at, (parsed->>'began_at')::timestamptz);

    IF (new_status, new_provider_status, new_caller, new_duration, new_recording, new_beginning)
        IS NOT DISTINCT FROM (known.status, known.provider_status, known.caller_number,
            known.duration, known.recording_url, known.created_at)
    THEN
        RETURN CASE WHEN ahead < 0 THEN 'late' ELSE 'duplicate' END;
    END IF;
    UPDATE public.calls SET status = new_status, provider_status = new_provider_status,
        caller_number = new_caller, duration = new_duration, recording_url = new_recording,
        created_at = new_beginning
    WHERE id = known.id;
    RETURN CASE WHEN ahead < 0 THEN 'late' ELSE 'applied' END;
END
$$;
