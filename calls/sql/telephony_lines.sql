-- Called by calls.intake.webhooks.signers, app.receive_call_event() and
-- app.count_refused_callback().
--
-- The line that an event belongs to, with its tokens (encrypted), or no row: by the first of the
-- numbers that is, or was, a line's; for an event without a number by its call, or by its account
-- where one line alone has that. Of the lines that held a number it is the one that has the call,
-- else the one that held the number at the time, now if none is given. Both forms of a number are
-- one. `number` is the one that the line was found by, else the line's. Each way to find a line is
-- a statement of its own, so that its plan is kept.
CREATE OR REPLACE FUNCTION app.telephony_lines(
    numbers text[], sid text, account text, at timestamptz DEFAULT NULL
)
RETURNS TABLE (found_by text, phone_id text, number text, account_sid text,
    current_token text, next_token text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    candidate text;
    taken text;
    moment CONSTANT timestamptz := least(at, now());
    beginning CONSTANT timestamptz := '0001-01-02Z';  -- an event of before has no time that counts
BEGIN
    -- One by one: an array is planned anew for its length.
    FOREACH candidate IN ARRAY numbers LOOP
        taken := app.one_number(candidate);
        -- A number that never moved.
        RETURN QUERY
        SELECT 'number', p.id, candidate, c.account_sid, c.current_token, c.next_token
        FROM public.number_assignments AS a JOIN public.phone_numbers AS p ON p.id = a.phone_id
        LEFT JOIN public.telephony_credentials AS c ON c.phone_id = p.id
        WHERE a.number = taken AND a.since IS NULL AND a.until IS NULL;
        IF FOUND THEN
            RETURN;
        END IF;
        PERFORM FROM public.number_assignments AS a WHERE a.number = taken;
        IF FOUND THEN
            RETURN QUERY
            SELECT 'number', p.id, candidate, c.account_sid, c.current_token, c.next_token
            FROM public.number_assignments AS a JOIN public.phone_numbers AS p ON p.id = a.phone_id
            LEFT JOIN public.telephony_credentials AS c ON c.phone_id = p.id
            LEFT JOIN app.line_of_call(sid) AS own ON own.phone_id = a.phone_id
            WHERE a.number = taken AND (own.phone_id IS NOT NULL
                OR moment >= coalesce(a.since, beginning)
                AND moment < coalesce(a.until, 'infinity'))
            ORDER BY own.phone_id IS NULL LIMIT 1;
            RETURN;
        END IF;
    END LOOP;
    IF cardinality(numbers) > 0 THEN
        RETURN;
    END IF;
    IF sid IS NOT NULL THEN
        RETURN QUERY
        SELECT 'call', p.id, p.number, c.account_sid, c.current_token, c.next_token
        FROM app.line_of_call(sid) AS l JOIN public.phone_numbers AS p ON p.id = l.phone_id
        LEFT JOIN public.telephony_credentials AS c ON c.phone_id = p.id LIMIT 1;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY
    SELECT 'account', p.id, p.number, c.account_sid, c.current_token, c.next_token
    FROM public.telephony_credentials AS c JOIN public.phone_numbers AS p ON p.id = c.phone_id
    WHERE c.account_sid = account AND NOT EXISTS (
        SELECT FROM public.telephony_credentials AS other
        WHERE other.account_sid = account AND other.phone_id <> c.phone_id);
END
$$;
REVOKE ALL ON FUNCTION app.telephony_lines(text[], text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.telephony_lines(text[], text, text, timestamptz)
    TO replytics_intake, replytics_web, replytics_staff;
