-- Called by app.keep_call_parts() and by itself, for the legs of a leg.
--
-- Records what an event reports of a child leg under the call of this SID, live or archived, and
-- returns the event's outcome. It runs with the owner's rights, past every policy, so it names the
-- line in each statement.
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
    sid := coalesce(app.call_of_leg(line, sid), sid);
    IF sid = leg THEN
        RETURN 'duplicate';  -- two calls that are each other's parent: one is the call
    END IF;
    -- The lock keeps the archiver away.
    PERFORM FROM public.calls WHERE call_sid = sid AND phone_id = line FOR UPDATE;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM app.line_of_call(sid) AS l WHERE l.phone_id = line) THEN
            SELECT legs INTO kept FROM public.calls_archive
            WHERE call_sid = sid AND phone_id = line FOR UPDATE;
        ELSIF EXISTS (SELECT FROM app.line_of_call(sid)) THEN
            RETURN 'conflict';
        ELSE
            RETURN 'waiting';
        END IF;
    END IF;

    known := app.call_leg(line, sid, leg);
    ahead := app.leg_progress(parsed->>'provider_status') - app.leg_progress(known.status);
    merged := known;
    merged.phone_id := line;
    merged.call_sid := sid;
    merged.leg_sid := leg;
    merged := app.merged_call_leg(merged, parsed);
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
    -- What was taken for a call before its parent was named, unless somebody wrote to it. An
    -- import writes the direction.
    IF EXISTS (SELECT FROM public.calls
        WHERE call_sid = leg AND phone_id = line AND NOT legal_hold)
    THEN
        UPDATE public.call_recordings SET call_sid = sid
        WHERE (phone_id, call_sid) = (line, leg);
        UPDATE public.call_legs AS l SET call_sid = sid
        WHERE (l.phone_id, l.call_sid) = (line, leg) AND l.leg_sid <> sid
            AND NOT EXISTS (SELECT FROM public.call_legs AS same
                WHERE (same.phone_id, same.call_sid, same.leg_sid) = (line, sid, l.leg_sid));
        DELETE FROM public.calls AS c WHERE c.call_sid = leg AND c.phone_id = line
            AND c.transcript IS NULL AND c.ai_summary IS NULL AND NOT c.legal_hold
            AND NOT EXISTS (SELECT FROM public.call_metadata AS m WHERE m.call_id = c.id
                AND (m.metadata - 'direction' <> '{}' OR m.tags <> '{}' OR m.custom_fields <> '{}'));
    END IF;
    INSERT INTO public.call_legs SELECT merged.*
    ON CONFLICT (phone_id, call_sid, leg_sid) DO UPDATE SET direction = excluded.direction,
        "to" = excluded."to", status = excluded.status, duration = excluded.duration,
        started_at = excluded.started_at, ended_at = excluded.ended_at;
    -- What names the leg: recordings, and legs of its own.
    PERFORM app.record_waiting_events(leg, sid);
    RETURN CASE WHEN ahead < 0 THEN 'late' ELSE 'applied' END;
END
$$;
REVOKE ALL ON FUNCTION app.keep_call_leg(text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.keep_call_leg(text, jsonb) TO replytics_web, replytics_staff;
