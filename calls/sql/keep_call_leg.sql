-- Called by app.keep_call_parts() and app.absorb_call().
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
    is_live boolean;
    kept jsonb;
    known public.call_legs;
    merged public.call_legs;
    ahead integer;
BEGIN
    sid := coalesce(app.call_of_leg(line, sid), sid);
    IF sid = leg THEN
        RETURN 'duplicate';  -- two calls that are each other's parent: one is the call
    END IF;
    -- Who claims the leg waits and finds it, or has claimed it already.
    PERFORM pg_advisory_xact_lock(hashtextextended(app.claimed_sid(leg, line), 0));
    -- The lock keeps the archiver away.
    PERFORM FROM public.calls WHERE call_sid = sid AND phone_id = line FOR UPDATE;
    is_live := FOUND;
    IF NOT is_live THEN
        IF NOT EXISTS (SELECT FROM app.line_of_call(sid) AS l WHERE l.phone_id = line) THEN
            RETURN CASE WHEN EXISTS (SELECT FROM app.line_of_call(sid)) THEN 'conflict'
                ELSE 'waiting' END;
        END IF;
        PERFORM FROM public.calls_archive WHERE call_sid = sid AND phone_id = line FOR UPDATE;
    END IF;
    PERFORM app.absorb_call(leg, sid);
    IF NOT is_live THEN
        SELECT legs INTO kept FROM public.calls_archive
        WHERE call_sid = sid AND phone_id = line;
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
