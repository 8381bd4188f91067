-- Called by calls.intake.webhooks.refusals.
--
-- Counts a refused request: one row for each line, cause and hour, however many come. The line is
-- that of the number, call or account that the request names. It waits for no disk: a crash of the
-- server may lose the last counts.
CREATE OR REPLACE FUNCTION app.count_refused_callback(
    numbers text[], sid text, account text, probable_cause text, sentence text,
    at timestamptz DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET synchronous_commit = off AS $$
BEGIN
    INSERT INTO public.refused_callbacks AS r (phone_id, cause, hour, count, detail, last_at)
    VALUES ((SELECT l.phone_id FROM app.telephony_lines(numbers, sid, account, at) AS l LIMIT 1),
        probable_cause, date_trunc('hour', now(), 'UTC'), 1, left(sentence, 500), now())
    ON CONFLICT (phone_id, cause, hour) DO UPDATE SET count = r.count + 1,
        detail = excluded.detail, last_at = excluded.last_at;
END
$$;
REVOKE ALL ON FUNCTION app.count_refused_callback FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.count_refused_callback TO replytics_intake, replytics_web;
