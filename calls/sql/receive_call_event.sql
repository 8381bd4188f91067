-- Called by calls.intake.webhooks.inbox: a callback in one statement. It runs with the owner's
-- rights, past every policy, so what it calls names its line in each statement.
--
-- An event whose line was found by a number, which it held at that time, is kept and applied, if the
-- line is still the scope's and its credentials are still those that the signature was checked
-- with. Else NULL, and nothing done.
CREATE OR REPLACE FUNCTION app.receive_call_event(
    numbers text[], account text, current_token text, next_token text, sid text, kind text,
    sequence bigint, payload jsonb, parsed jsonb, reason text, outcome text,
    at timestamptz DEFAULT NULL, signed text DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line CONSTANT text := app.phone();
    found record;
BEGIN
    SELECT * INTO found FROM app.telephony_lines(numbers, sid, NULL, at);
    IF (found.phone_id, found.account_sid, found.current_token, found.next_token)
        IS DISTINCT FROM (line, account, current_token, next_token)
    THEN
        RETURN NULL;
    END IF;
    RETURN app.keep_call_event(sid, kind, sequence, payload, parsed, reason, outcome, signed);
END
$$;
REVOKE ALL ON FUNCTION app.receive_call_event FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.receive_call_event TO replytics_intake, replytics_web;
