-- Called by decisions.recording, for a SID that a program of the scope's line named.
--
-- Keeps what was decided for the line's call of this SID, which need not be known yet, under the SID
-- as the provider writes it. Returns the outcome: kept, duplicate, leg, archived, or full, when
-- most decisions are kept for it already. Of other lines' calls it looks at none. It takes turns with
-- events of the line's call. It runs with the owner's rights, past every policy, so it names the
-- line in each statement.
CREATE OR REPLACE FUNCTION app.keep_call_decision(
    sid text, moment timestamptz, known jsonb, version text, given jsonb, most integer
) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line CONSTANT text := app.phone();
    claimed CONSTANT text := app.claimed_sid(sid, line);
    new_digest CONSTANT text := left(encode(sha256(convert_to(
        concat_ws(' ', extract(epoch FROM moment), version, known), 'UTF8')), 'hex'), 32);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(claimed, 0));
    -- The lock keeps the archiver away.
    PERFORM FROM public.calls AS c
    WHERE c.call_sid IN (sid, claimed) AND c.phone_id = line FOR KEY SHARE;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM public.call_legs AS l WHERE l.leg_sid = sid AND l.phone_id = line)
        THEN
            RETURN 'leg';
        ELSIF EXISTS (
            SELECT FROM unnest(ARRAY[sid, claimed]) AS stored (sid),
                app.line_of_call(stored.sid) AS l
            WHERE l.phone_id = line AND l.archived)
        THEN
            RETURN 'archived';
        END IF;
    END IF;
    IF EXISTS (
        SELECT FROM public.call_decisions AS d
        WHERE (d.phone_id, d.call_sid, d.digest) = (line, sid, new_digest))
    THEN
        RETURN 'duplicate';
    ELSIF (
        SELECT count(*) FROM public.call_decisions AS d WHERE (d.phone_id, d.call_sid) = (line, sid)
    ) >= most THEN
        RETURN 'full';
    END IF;
    INSERT INTO public.call_decisions
        (phone_id, call_sid, digest, at, created_at, facts, settings_version, answer)
    VALUES (line, sid, new_digest, moment, clock_timestamp(), known, version, given);
    RETURN 'kept';
END
$$;
REVOKE ALL ON FUNCTION app.keep_call_decision FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.keep_call_decision TO replytics_api, replytics_web;
