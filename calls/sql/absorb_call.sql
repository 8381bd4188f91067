-- Called by app.keep_call_leg(), with the owner's rights: hence the line in each statement.
--
-- What was taken for a call before its parent was named, by the provider, a file or a claim,
-- becomes a leg: its recordings, legs and decisions go to the call of this SID, with what is known
-- of itself unless somebody wrote a transcript, summary or metadata to it. Then it stays a call; and
-- all of it stays while it is under legal hold. An import writes the direction.
CREATE OR REPLACE FUNCTION app.absorb_call(leg text, sid text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line CONSTANT text := app.phone();
    taken public.calls;
    part jsonb;
BEGIN
    PERFORM app.absorb_call_decisions(line, leg, sid);
    FOR taken IN
        SELECT * FROM public.calls AS c
        WHERE c.call_sid IN (leg, app.claimed_sid(leg, line)) AND c.phone_id = line
            AND NOT c.legal_hold
        FOR UPDATE
    LOOP
        FOR part IN
            SELECT jsonb_build_object('recording_url', taken.recording_url)
            WHERE taken.recording_url IS NOT NULL
            UNION ALL
            SELECT jsonb_build_object('recording_sid', r.recording_sid, 'recording_url', r.url,
                'recording_state', r.state, 'recording_duration', r.duration,
                'recording_channels', r.channels, 'recording_source', r.source,
                'recording_started', r.started)
            FROM public.call_recordings AS r
            WHERE (r.phone_id, r.call_sid) = (line, taken.call_sid)
        LOOP
            PERFORM app.keep_call_recording(sid, part);
        END LOOP;
        FOR part IN
            SELECT jsonb_build_object('leg_sid', l.leg_sid, 'direction', l.direction, 'to', l."to",
                'provider_status', l.status, 'duration', l.duration, 'began_at', l.started_at,
                'ended_at', l.ended_at)
            FROM public.call_legs AS l WHERE (l.phone_id, l.call_sid) = (line, taken.call_sid)
        LOOP
            PERFORM app.keep_call_leg(sid, part);
        END LOOP;
        DELETE FROM public.call_recordings WHERE (phone_id, call_sid) = (line, taken.call_sid);
        DELETE FROM public.call_legs WHERE (phone_id, call_sid) = (line, taken.call_sid);
        DELETE FROM public.calls AS c
        WHERE c.id = taken.id AND c.transcript IS NULL AND c.ai_summary IS NULL
            AND NOT EXISTS (SELECT FROM public.call_metadata AS m WHERE m.call_id = c.id AND
                (m.metadata - 'direction' <> '{}' OR m.tags <> '{}' OR m.custom_fields <> '{}'));
        IF FOUND AND taken.provider_status <> 'timed-out' THEN
            PERFORM app.keep_call_leg(sid, jsonb_build_object('leg_sid', leg,
                'provider_status', taken.provider_status,
                'duration', nullif(taken.duration, 0), 'began_at', taken.created_at));
        END IF;
    END LOOP;
END
$$;
