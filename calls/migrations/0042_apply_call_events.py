"""What an event does to its call, in one statement and one round trip.

Each function runs with the rights of the scope it is called in, except three that must look
beyond one line: whose an event and whose a call is, and the events that waited for a call.
"""

from django.db import migrations

# How far a call has come. Words of one status have an order too, so that the same events end in
# the same word whatever order they came in. A call that we ended ourselves (timed-out) counts as
# the state it was stuck in.
PROGRESS = """
CREATE FUNCTION app.call_progress(status text, provider_status text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN provider_status = 'timed-out' THEN CASE status WHEN 'completed' THEN 5 ELSE 3 END
        WHEN status IN ('completed', 'failed') THEN 6
        WHEN status = 'answered' THEN CASE provider_status WHEN 'in-progress' THEN 5 ELSE 4 END
        ELSE coalesce(array_position(ARRAY['queued', 'initiated', 'ringing'], provider_status), 0)
    END
$$;
"""

# Whose a call is, and where. For SIDs that come with a right signature or key.
LINE_OF_CALL = """
CREATE FUNCTION app.line_of_call(sid text) RETURNS TABLE (phone_id text, archived boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.phone_id, false FROM public.calls AS c WHERE c.call_sid = sid
    UNION ALL
    SELECT a.phone_id, true FROM public.calls_archive AS a WHERE a.call_sid = sid
$$;
REVOKE ALL ON FUNCTION app.line_of_call(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.line_of_call(text)
    TO replytics_api, replytics_web, replytics_staff;
"""

# The lines that an event may belong to, with their tokens (encrypted): by number; for a recording,
# which names no number, by its call or by its account (two rows are enough to see an ambiguity).
LINES = """
CREATE FUNCTION app.telephony_lines(numbers text[], sid text, account text)
RETURNS TABLE (found_by text, phone_id text, number text, account_sid text,
    current_token text, next_token text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT found.by, p.id, p.number, c.account_sid, c.current_token, c.next_token
    FROM (
        SELECT 'number', n.id FROM public.phone_numbers AS n WHERE n.number = ANY (numbers)
        UNION ALL
        SELECT 'call', l.phone_id FROM app.line_of_call(sid) AS l WHERE sid IS NOT NULL
        UNION ALL
        (SELECT 'account', t.phone_id FROM public.telephony_credentials AS t
         WHERE t.account_sid = account LIMIT 2)
    ) AS found (by, id)
    JOIN public.phone_numbers AS p ON p.id = found.id
    LEFT JOIN public.telephony_credentials AS c ON c.phone_id = p.id
$$;
REVOKE ALL ON FUNCTION app.telephony_lines(text[], text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.telephony_lines(text[], text, text)
    TO replytics_api, replytics_web, replytics_staff;
"""

# A recording's callback names no number, so before its call is known it belongs to no line.
ADOPT = """
CREATE FUNCTION app.adopt_call_events(sid text) RETURNS SETOF jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.call_events SET phone_id = app.phone(), verdict = 'applied', reason = NULL
    WHERE call_sid = sid AND verdict = 'waiting'
        AND (phone_id IS NULL OR phone_id = app.phone())
    RETURNING reading
$$;
REVOKE ALL ON FUNCTION app.adopt_call_events(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.adopt_call_events(text)
    TO replytics_api, replytics_web, replytics_staff;
"""

# Each column's rule is independent of the order of events: the furthest status, the longest
# duration, the earliest beginning, a known caller over an unknown one. A recording that the
# provider reports replaces another of the provider's (the lesser address stays), never one that
# somebody set. Returns NULL when this line has no such call.
MERGE = """
CREATE FUNCTION app.merge_call(sid text, reading jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    provider_recording CONSTANT text := '/Recordings/RE[0-9a-f]{32}';
    known record;
    ahead integer;
    new_status text;
    new_provider_status text;
    new_caller text;
    new_duration integer;
    new_recording text := reading->>'recording_url';
    new_beginning timestamptz;
BEGIN
    SELECT id, status, provider_status, caller_number, duration, recording_url, created_at
    INTO known FROM public.calls WHERE call_sid = sid FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    new_status := known.status;
    new_provider_status := known.provider_status;
    IF reading->>'status' IS NOT NULL THEN
        ahead := app.call_progress(reading->>'status', reading->>'provider_status')
            - app.call_progress(known.status, known.provider_status);
        IF ahead > 0 THEN
            new_status := reading->>'status';
            new_provider_status := reading->>'provider_status';
        END IF;
    END IF;
    new_caller := known.caller_number;
    IF new_caller = 'unknown' THEN
        new_caller := coalesce(reading->>'caller_number', 'unknown');
    END IF;
    new_duration := greatest(known.duration, (reading->>'duration')::integer);
    IF known.recording_url ~ provider_recording THEN
        new_recording := least(known.recording_url, new_recording);
    ELSE
        new_recording := coalesce(known.recording_url, new_recording);
    END IF;
    new_beginning := least(known.created_at, (reading->>'began_at')::timestamptz);

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
"""

# Events of one call take turns (the advisory lock). Whether the call was archived is the trigger's
# to say: if the archiver holds the call, the INSERT waits for it to commit.
APPLY = """
CREATE FUNCTION app.apply_call_event(sid text, reading jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    line CONSTANT text := app.phone();
    verdict text;
    elsewhere record;
    waited jsonb;
    made boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(sid, 0));
    verdict := app.merge_call(sid, reading);
    IF verdict IS NULL AND reading->>'status' IS NULL THEN
        SELECT * INTO elsewhere FROM app.line_of_call(sid);
        RETURN CASE WHEN elsewhere.phone_id IS NULL THEN 'waiting'
            WHEN elsewhere.phone_id <> line THEN 'conflict'
            WHEN elsewhere.archived THEN 'archived'
            ELSE app.merge_call(sid, reading) END;
    ELSIF verdict IS NULL THEN
        BEGIN
            INSERT INTO public.calls (phone_id, call_sid, caller_number, status, provider_status,
                duration, recording_url, created_at)
            VALUES (line, sid, coalesce(reading->>'caller_number', 'unknown'),
                reading->>'status', reading->>'provider_status',
                coalesce((reading->>'duration')::integer, 0), reading->>'recording_url',
                coalesce((reading->>'began_at')::timestamptz, now()))
            ON CONFLICT (call_sid) DO NOTHING;
            made := FOUND;
        EXCEPTION WHEN unique_violation THEN
            -- calls_sid_not_archived, also when the call was archived while the INSERT waited.
            SELECT * INTO elsewhere FROM app.line_of_call(sid);
            RETURN CASE WHEN elsewhere.phone_id = line THEN 'archived' ELSE 'conflict' END;
        END;
        IF NOT made THEN
            -- Another line's call, which row level security hides, or one made a moment ago.
            verdict := coalesce(app.merge_call(sid, reading), 'conflict');
        ELSE
            verdict := 'applied';
        END IF;
    END IF;
    IF verdict <> 'conflict' THEN
        FOR waited IN SELECT app.adopt_call_events(sid) LOOP
            PERFORM app.merge_call(sid, waited);
        END LOOP;
    END IF;
    RETURN verdict;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0041_call_events")]

    operations = [
        migrations.RunSQL(PROGRESS, "DROP FUNCTION app.call_progress(text, text)"),
        migrations.RunSQL(LINE_OF_CALL, "DROP FUNCTION app.line_of_call(text)"),
        migrations.RunSQL(LINES, "DROP FUNCTION app.telephony_lines(text[], text, text)"),
        migrations.RunSQL(ADOPT, "DROP FUNCTION app.adopt_call_events(text)"),
        migrations.RunSQL(MERGE, "DROP FUNCTION app.merge_call(text, jsonb)"),
        migrations.RunSQL(APPLY, "DROP FUNCTION app.apply_call_event(text, jsonb)"),
    ]
