-- Called by app.apply_call_event().
--
-- Records what an event reports of a child leg under the call of this SID, live or archived, and
-- returns the event's outcome. The rules do not depend on the order of events: the furthest
-- status, the longest duration, the earliest times. It runs with the owner's rights, past every
-- policy, so it names the line in each statement.
CREATE OR REPLACE FUNCTION app.keep_call_leg(sid text, parsed jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    line CONSTANT text := app.phone();
    leg CONSTANT text := parsed->>'leg_sid';
    kept jsonb;
    known public.call_legs;
    merged public.call_legs;
    ahead integer;
BEGIN
    -- The lock keeps the archiver away.
    PERFORM FROM public.calls WHERE call_sid = sid AND phone_id = line FOR UPDATE;
    IF FOUND THEN
        SELECT * INTO known FROM public.call_legs
        WHERE (phone_id, call_sid, leg_sid) = (line, sid, leg);
    ELSIF EXISTS (SELECT FROM app.line_of_call(sid) AS l WHERE l.phone_id = line) THEN
        SELECT legs INTO kept FROM public.calls_archive
        WHERE call_sid = sid AND phone_id = line FOR UPDATE;
        SELECT * INTO known FROM jsonb_populate_recordset(NULL::public.call_legs, kept) AS l
        WHERE l.leg_sid = leg;
    ELSIF EXISTS (SELECT FROM app.line_of_call(sid)) THEN
        RETURN 'conflict';
    ELSE
        RETURN 'waiting';
    END IF;

    ahead := app.call_progress(parsed->>'status', parsed->>'provider_status')
        - app.call_progress(CASE
            WHEN known.status IN ('in-progress', 'answered') THEN 'answered'
            WHEN known.status IN ('queued', 'initiated', 'ringing') THEN 'ringing'
            WHEN known.status IS NOT NULL THEN 'completed' END, known.status);
    merged := known;
    merged.phone_id := line;
    merged.call_sid := sid;
    merged.leg_sid := leg;
    merged.direction := coalesce(known.direction, parsed->>'direction');
    merged."to" := coalesce(known."to", parsed->>'to');
    IF known.status IS NULL OR ahead > 0 THEN
        merged.status := parsed->>'provider_status';
    END IF;
    merged.duration := greatest(known.duration, (parsed->>'duration')::integer);
    merged.started_at := least(known.started_at, (parsed->>'began_at')::timestamptz);
    merged.ended_at := least(known.ended_at, (parsed->>'ended_at')::timestamptz);

    IF merged IS NOT DISTINCT FROM known THEN
        RETURN CASE WHEN kept IS NOT NULL THEN 'archived' WHEN ahead < 0 THEN 'late'
            ELSE 'duplicate' END;
    ELSIF kept IS NOT NULL THEN
        UPDATE public.calls_archive SET legs = (
            SELECT jsonb_agg(l - ARRAY['phone_id', 'call_sid'] ORDER BY l->>'leg_sid')
            FROM (
                SELECT l FROM jsonb_array_elements(kept) AS l WHERE l->>'leg_sid' <> leg
                UNION ALL SELECT to_jsonb(merged)
            ) AS all_legs (l))
        WHERE call_sid = sid AND phone_id = line;
        RETURN 'archived';
    END IF;
    -- What was taken for a call before its parent was named, unless somebody wrote to it.
    UPDATE public.call_recordings SET call_sid = sid WHERE (phone_id, call_sid) = (line, leg)
        AND EXISTS (SELECT FROM public.calls
            WHERE call_sid = leg AND phone_id = line AND NOT legal_hold);
    DELETE FROM public.calls AS c WHERE c.call_sid = leg AND c.phone_id = line
        AND c.transcript IS NULL AND c.ai_summary IS NULL AND NOT c.legal_hold
        AND NOT EXISTS (SELECT FROM public.call_metadata AS m WHERE m.call_id = c.id);
    INSERT INTO public.call_legs SELECT merged.*
    ON CONFLICT (phone_id, call_sid, leg_sid) DO UPDATE SET direction = excluded.direction,
        "to" = excluded."to", status = excluded.status, duration = excluded.duration,
        started_at = excluded.started_at, ended_at = excluded.ended_at;
    -- Recordings that name the leg.
    FOR kept IN SELECT app.adopt_call_events(leg) LOOP
        PERFORM app.keep_call_recording(sid, kept);
    END LOOP;
    RETURN CASE WHEN ahead < 0 THEN 'late' ELSE 'applied' END;
END
$$;
REVOKE ALL ON FUNCTION app.keep_call_leg(text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.keep_call_leg(text, jsonb) TO replytics_web, replytics_staff;
