-- Called by app.absorb_call(), with the owner's rights: hence the line in each statement.
--
-- What was decided under the SID of a leg, before it was known to be one, was decided for its call,
-- live or archived; unless a call of that SID is under legal hold.
CREATE OR REPLACE FUNCTION app.absorb_call_decisions(line text, leg text, sid text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.call_decisions WHERE (phone_id, call_sid) = (line, leg))
        OR EXISTS (
            SELECT FROM public.calls AS c
            WHERE c.call_sid IN (leg, app.claimed_sid(leg, line)) AND c.phone_id = line
                AND c.legal_hold)
    THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM public.calls AS c WHERE c.call_sid = sid AND c.phone_id = line) THEN
        PERFORM app.move_call_decisions(line, leg, sid);
        RETURN;
    END IF;
    WITH moved AS (
        DELETE FROM public.call_decisions WHERE (phone_id, call_sid) = (line, leg) RETURNING *
    )
    UPDATE public.calls_archive AS a SET decisions = (
        SELECT jsonb_agg(part ORDER BY (part->>'created_at')::timestamptz, part->>'digest')
        FROM (
            SELECT jsonb_array_elements(a.decisions)
            UNION ALL
            SELECT to_jsonb(m) - ARRAY['phone_id', 'call_sid'] FROM moved AS m
            WHERE NOT a.decisions @> jsonb_build_array(jsonb_build_object('digest', m.digest))
        ) AS all_decisions (part))
    WHERE a.call_sid = sid AND a.phone_id = line;
END
$$;
