-- Called by app.receive_call_event(), app.keep_call_event() and app.keep_file_leg() with the owner's
-- rights, and by calls.intake.webhooks.inbox, calls.intake.pipeline and
-- calls.intake.imports.reconciling with those of the scope.
--
-- Finds or makes the call of an event and returns the event's outcome. A leg (leg_sid) is recorded
-- under its call, whose SID is sid, and makes none. Events of one call take
-- turns (the advisory lock). Whether the call was archived is the trigger's to say: if the
-- archiver holds the call, the INSERT waits for it to commit.
CREATE OR REPLACE FUNCTION app.apply_call_event(sid text, parsed jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    line CONSTANT text := app.phone();
    claimed CONSTANT text := app.claimed_sid(sid, line);
    outcome text;
    of_parts text;
    known record;
    parent text;
    made boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(sid, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended(claimed, 0));
    -- As app.keep_call_leg() does, before a row is locked.
    PERFORM pg_advisory_xact_lock(
        hashtextextended(app.claimed_sid(parsed->'dialed'->>'leg_sid', line), 0));
    -- The provider confirms what a program of the line claimed.
    IF EXISTS (SELECT FROM public.calls WHERE call_sid = claimed AND phone_id = line) THEN
        BEGIN
            UPDATE public.calls SET call_sid = sid WHERE call_sid = claimed AND phone_id = line;
        EXCEPTION WHEN unique_violation THEN
            NULL;  -- another line's, or archived: the outcome says so
        END;
    END IF;
    IF parsed ? 'leg_sid' OR parsed->>'status' IS NULL THEN
        PERFORM app.await_import();
        RETURN app.keep_call_parts(sid, parsed);
    END IF;
    -- A later event of a leg need not name its parent again.
    parent := app.call_of_leg(line, sid);
    IF parent IS NOT NULL THEN
        RETURN app.keep_call_parts(parent, parsed || jsonb_build_object('leg_sid', sid));
    END IF;
    outcome := app.merge_call(sid, parsed);
    IF outcome IS NULL AND EXISTS (
        SELECT FROM app.line_of_call(claimed) AS l WHERE l.phone_id = line AND l.archived)
    THEN
        RETURN 'archived';
    ELSIF outcome IS NULL THEN
        BEGIN
            INSERT INTO public.calls (phone_id, call_sid, caller_number, status, provider_status,
                duration, recording_url, created_at)
            VALUES (line, sid, coalesce(parsed->>'caller_number', 'unknown'),
                parsed->>'status', parsed->>'provider_status',
                coalesce((parsed->>'duration')::integer, 0), CASE WHEN NOT parsed ? 'recording_sid' THEN parsed->>'recording_url' END,
                coalesce((parsed->>'began_at')::timestamptz, now()))
            ON CONFLICT (call_sid) DO NOTHING;
            made := FOUND;
        EXCEPTION WHEN unique_violation THEN
            -- calls_sid_not_archived, also when the call was archived while the INSERT waited.
            SELECT * INTO known FROM app.line_of_call(sid);
            outcome := CASE WHEN known.phone_id = line THEN 'archived' ELSE 'conflict' END;
        END;
        IF made THEN
            outcome := 'applied';
        ELSIF outcome IS NULL THEN
            -- Another line's call, which row level security hides, or one made a moment ago.
            outcome := coalesce(app.merge_call(sid, parsed), 'conflict');
        END IF;
    END IF;
    IF outcome <> 'conflict' THEN
        of_parts := app.keep_call_parts(sid, parsed);
        IF outcome = 'duplicate' AND of_parts = 'applied' THEN
            outcome := 'applied';
        END IF;
        PERFORM app.record_waiting_events(sid, sid);
    END IF;
    RETURN outcome;
END
$$;
