-- Called by app.receive_call_event() and app.keep_call_event() with the owner's rights, and by
-- calls.intake.webhooks.inbox, calls.intake.pipeline and calls.intake.imports.reconciling with
-- those of the scope.
--
-- Finds or makes the call of an event and returns the event's outcome. Events of one call take
-- turns (the advisory lock). Whether the call was archived is the trigger's to say: if the
-- archiver holds the call, the INSERT waits for it to commit.
CREATE OR REPLACE FUNCTION app.apply_call_event(sid text, parsed jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    line CONSTANT text := app.phone();
    outcome text;
    known record;
    waited jsonb;
    made boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(sid, 0));
    outcome := app.merge_call(sid, parsed);
    IF outcome IS NULL AND parsed->>'status' IS NULL THEN
        SELECT * INTO known FROM app.line_of_call(sid);
        RETURN CASE WHEN known.phone_id IS NULL THEN 'waiting'
            WHEN known.phone_id <> line THEN 'conflict'
            WHEN known.archived THEN 'archived'
            ELSE app.merge_call(sid, parsed) END;
    ELSIF outcome IS NULL THEN
        BEGIN
            INSERT INTO public.calls (phone_id, call_sid, caller_number, status, provider_status,
                duration, recording_url, created_at)
            VALUES (line, sid, coalesce(parsed->>'caller_number', 'unknown'),
                parsed->>'status', parsed->>'provider_status',
                coalesce((parsed->>'duration')::integer, 0), parsed->>'recording_url',
                coalesce((parsed->>'began_at')::timestamptz, now()))
            ON CONFLICT (call_sid) DO NOTHING;
            made := FOUND;
        EXCEPTION WHEN unique_violation THEN
            -- calls_sid_not_archived, also when the call was archived while the INSERT waited.
            SELECT * INTO known FROM app.line_of_call(sid);
            RETURN CASE WHEN known.phone_id = line THEN 'archived' ELSE 'conflict' END;
        END;
        IF NOT made THEN
            -- Another line's call, which row level security hides, or one made a moment ago.
            outcome := coalesce(app.merge_call(sid, parsed), 'conflict');
        ELSE
            outcome := 'applied';
        END IF;
    END IF;
    IF outcome <> 'conflict' THEN
        FOR waited IN SELECT app.adopt_call_events(sid) LOOP
            PERFORM app.merge_call(sid, waited);
        END LOOP;
    END IF;
    RETURN outcome;
END
$$;
