-- Called by app.keep_call_parts(), app.absorb_call(), app.add_recording() and by itself.
--
-- Records what an event reports of a recording under the call of this SID, or of the call that has
-- a leg of this SID, live or archived, and returns the event's outcome. recording_url of the call
-- is its latest complete recording, unless somebody set another address. The rules do not depend on
-- the order of events, but of a call under legal hold what is known stays. It runs with the owner's
-- rights, past every policy, so it names the line in each statement.
CREATE OR REPLACE FUNCTION app.keep_call_recording(sid text, parsed jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    line CONSTANT text := app.phone();
    recording CONSTANT text := coalesce(parsed->>'recording_sid',
        substring(parsed->>'recording_url' FROM 'RE[0-9a-fA-F]{32}'), parsed->>'recording_url');
    new_state CONSTANT text := coalesce(parsed->>'recording_state', 'completed');
    new_duration CONSTANT integer := parsed->>'recording_duration';
    new_channels CONSTANT integer := parsed->>'recording_channels';
    new_start CONSTANT timestamptz := parsed->>'recording_started';
    known public.call_recordings;
    merged public.call_recordings;
    kept jsonb;
    latest text;
    is_held boolean;
    is_live boolean;
    address text;
BEGIN
    sid := coalesce(app.call_of_leg(line, sid), sid);
    -- The lock keeps the archiver away.
    SELECT legal_hold, recording_url INTO is_held, address
    FROM public.calls WHERE call_sid = sid AND phone_id = line FOR UPDATE;
    is_live := FOUND;
    IF NOT is_live THEN
        IF NOT EXISTS (SELECT FROM app.line_of_call(sid) AS l WHERE l.phone_id = line) THEN
            RETURN CASE WHEN EXISTS (SELECT FROM app.line_of_call(sid)) THEN 'conflict'
                ELSE 'waiting' END;
        END IF;
        SELECT legal_hold, recording_url, recordings INTO is_held, address, kept
        FROM public.calls_archive WHERE call_sid = sid AND phone_id = line FOR UPDATE;
    END IF;
    -- An address that a file, a program or a person wrote may be of a recording without a row.
    IF app.recording_sid_of(address) <> recording AND NOT EXISTS (
        SELECT FROM public.call_recordings AS r
        WHERE (r.phone_id, r.call_sid) = (line, sid) AND r.url = address
    ) AND NOT coalesce(kept, '[]') @> jsonb_build_array(jsonb_build_object('url', address)) THEN
        PERFORM app.keep_call_recording(sid, jsonb_build_object('recording_url', address));
    END IF;
    IF is_live THEN
        SELECT * INTO known FROM public.call_recordings
        WHERE (phone_id, call_sid, recording_sid) = (line, sid, recording);
    ELSE
        SELECT recordings INTO kept FROM public.calls_archive
        WHERE call_sid = sid AND phone_id = line;
        SELECT * INTO known FROM jsonb_populate_recordset(NULL::public.call_recordings, kept) AS r
        WHERE r.recording_sid = recording;
    END IF;

    IF recording IS NULL THEN
        RETURN 'duplicate';  -- nothing to keep, such as of a recording that was not made
    END IF;
    merged := known;
    merged.phone_id := line;
    merged.call_sid := sid;
    merged.recording_sid := recording;
    merged.source := coalesce(known.source, parsed->>'recording_source');
    IF is_held THEN
        merged.url := coalesce(known.url, parsed->>'recording_url');
        merged.duration := coalesce(known.duration, new_duration);
        merged.channels := coalesce(known.channels, new_channels);
        merged.started := coalesce(known.started, new_start);
    ELSE
        merged.url := least(known.url, parsed->>'recording_url');
        merged.duration := greatest(known.duration, new_duration);
        merged.channels := greatest(known.channels, new_channels);
        merged.started := least(known.started, new_start);
    END IF;
    IF known.state IS NULL
        OR app.recording_progress(new_state) > app.recording_progress(known.state)
    THEN
        merged.state := new_state;
    END IF;

    IF merged IS NOT DISTINCT FROM known THEN
        RETURN CASE WHEN kept IS NULL THEN 'duplicate' ELSE 'archived' END;
    ELSIF kept IS NULL THEN
        INSERT INTO public.call_recordings SELECT merged.*
        ON CONFLICT (phone_id, call_sid, recording_sid) DO UPDATE SET url = excluded.url,
            duration = excluded.duration, channels = excluded.channels, source = excluded.source,
            state = excluded.state, started = excluded.started;
        SELECT url INTO latest FROM public.call_recordings
        WHERE (phone_id, call_sid) = (line, sid) AND state = 'completed' AND url IS NOT NULL
        ORDER BY started DESC NULLS LAST, recording_sid DESC LIMIT 1;
        UPDATE public.calls SET recording_url = latest
        WHERE call_sid = sid AND phone_id = line AND recording_url IS DISTINCT FROM latest
            AND latest IS NOT NULL
            AND (recording_url IS NULL OR app.recording_sid_of(recording_url) IS NOT NULL
                AND NOT is_held);
        RETURN 'applied';
    END IF;
    SELECT jsonb_agg(r - ARRAY['phone_id', 'call_sid'] ORDER BY r->>'recording_sid') INTO kept
    FROM (
        SELECT r FROM jsonb_array_elements(kept) AS r WHERE r->>'recording_sid' <> recording
        UNION ALL SELECT to_jsonb(merged)
    ) AS all_recordings (r);
    SELECT url INTO latest FROM jsonb_populate_recordset(NULL::public.call_recordings, kept)
    WHERE state = 'completed' AND url IS NOT NULL
    ORDER BY started DESC NULLS LAST, recording_sid DESC LIMIT 1;
    UPDATE public.calls_archive SET recordings = kept,
        recording_url = CASE WHEN recording_url IS NULL OR app.recording_sid_of(recording_url) IS NOT NULL
                AND NOT is_held
            THEN coalesce(latest, recording_url) ELSE recording_url END
    WHERE call_sid = sid AND phone_id = line;
    RETURN 'archived';
END
$$;
REVOKE ALL ON FUNCTION app.keep_call_recording(text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.keep_call_recording(text, jsonb) TO replytics_web, replytics_staff;
