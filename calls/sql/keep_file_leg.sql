-- Called by calls.intake.imports.file_legs, as staff: a row of a file that names its parent call,
-- whose SID is sid.
--
-- Records the leg as a callback of it would and returns whether that is news (recorded, unchanged),
-- or keeps it in the inbox until the call is known (waiting). The row is of the line that it names;
-- one of the provider's list names none and is of its call's. A call of another line is not looked
-- at: for the row it does not exist. file_line is the line by which the call is in the file of a
-- dry run, which writes nothing. An event with one of the kept outcomes goes to the inbox.
CREATE OR REPLACE FUNCTION app.keep_file_leg(
    sid text, line text, file_line text, payload jsonb, parsed jsonb, kept text[], writes boolean
) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    account CONSTANT text := payload->>'AccountSid';
    leg CONSTANT text := parsed->>'leg_sid';
    found_line text;
    known public.call_legs;
    merged public.call_legs;
    result text := 'recorded';
    outcome text := 'waiting';
BEGIN
    SELECT l.phone_id INTO found_line FROM app.line_of_call(sid) AS l
    WHERE l.phone_id = coalesce(line, l.phone_id) AND app.is_account_of(l.phone_id, account)
    ORDER BY l.phone_id LIMIT 1;
    IF FOUND THEN
        known := app.call_leg(found_line, coalesce(app.call_of_leg(found_line, sid), sid), leg);
        merged := app.merged_call_leg(known, parsed);
        IF merged IS NOT DISTINCT FROM known THEN
            result := 'unchanged';
        END IF;
    ELSIF file_line = coalesce(line, file_line) AND app.is_account_of(file_line, account)
        AND NOT EXISTS (SELECT FROM app.line_of_call(sid))
    THEN
        found_line := file_line;
    END IF;
    IF writes THEN
        IF found_line IS NOT NULL THEN
            PERFORM set_config('app.phone_id', found_line, true);
            outcome := app.apply_call_event(sid, parsed);
            PERFORM set_config('app.phone_id', '', true);
            IF outcome IN ('waiting', 'conflict') THEN  -- deleted a moment ago
                outcome := 'waiting';
                found_line := NULL;
            END IF;
        END IF;
        INSERT INTO public.call_events
            (phone_id, call_sid, kind, payload, parsed, outcome, digest)
        SELECT coalesce(found_line, line,
                (SELECT l.phone_id FROM app.telephony_lines('{}', NULL, account) AS l)),
            sid, 'reconciled', payload, parsed, outcome, md5('reconciled' || payload::text)
        WHERE outcome = ANY (kept)
        ON CONFLICT (phone_id, digest) WHERE digest IS NOT NULL DO NOTHING;
    END IF;
    RETURN CASE WHEN found_line IS NULL THEN 'waiting' ELSE result END;
END
$$;
REVOKE ALL ON FUNCTION app.keep_file_leg FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.keep_file_leg TO replytics_staff;
