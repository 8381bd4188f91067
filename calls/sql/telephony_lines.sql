-- Called by calls.intake.webhooks.signers and app.receive_call_event().
--
-- The line that an event belongs to, with its tokens (encrypted), or no row: by the first of the
-- numbers that is a line's; for an event without a number by its call, or by its account where one
-- line alone has that. Each way to find a line is a statement of its own, so that its plan is
-- kept.
CREATE OR REPLACE FUNCTION app.telephony_lines(numbers text[], sid text, account text)
RETURNS TABLE (found_by text, phone_id text, number text, account_sid text,
    current_token text, next_token text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    candidate text;
BEGIN
    -- One by one: an array is planned anew for its length.
    FOREACH candidate IN ARRAY numbers LOOP
        RETURN QUERY
        SELECT 'number', p.id, p.number, c.account_sid, c.current_token, c.next_token
        FROM public.phone_numbers AS p
        LEFT JOIN public.telephony_credentials AS c ON c.phone_id = p.id
        WHERE p.number = candidate;
        IF FOUND THEN
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
REVOKE ALL ON FUNCTION app.telephony_lines(text[], text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.telephony_lines(text[], text, text)
    TO replytics_intake, replytics_web, replytics_staff;
