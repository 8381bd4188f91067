-- Called by calls.intake.pipeline, for a SID that a program of the scope's line named.
--
-- Finds the line's call of this SID, or makes one in the lowest state under app.claimed_sid(), and
-- returns the outcome and what the call is stored under. Of other lines' calls it looks at none.
-- It takes turns with events of the line's call, and with imports of calls of the line
-- (calls.intake.imports.upsert). It runs with the owner's rights, past every
-- policy, so it names the line in each statement.
CREATE OR REPLACE FUNCTION app.claim_call(sid text, OUT outcome text, OUT stored_sid text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line CONSTANT text := app.phone();
    claimed CONSTANT text := app.claimed_sid(sid, line);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(claimed, 0));
    FOR look IN 1..2 LOOP
        SELECT c.call_sid INTO stored_sid FROM public.calls AS c
        WHERE c.call_sid IN (sid, claimed) AND c.phone_id = line
        ORDER BY c.call_sid LIMIT 1;
        IF FOUND THEN
            outcome := 'duplicate';
            RETURN;
        END IF;
        -- An import of calls of the line may be making it.
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('import to ' || line, 0));
    END LOOP;
    IF EXISTS (SELECT FROM public.call_legs AS l WHERE l.leg_sid = sid AND l.phone_id = line)
    THEN
        outcome := 'leg';
    ELSIF EXISTS (
        SELECT FROM unnest(ARRAY[sid, claimed]) AS stored (sid), app.line_of_call(stored.sid) AS l
        WHERE l.phone_id = line AND l.archived)
    THEN
        outcome := 'archived';
    ELSE
        INSERT INTO public.calls (phone_id, call_sid, caller_number, status)
        VALUES (line, claimed, 'unknown', 'ringing');
        stored_sid := claimed;
        outcome := 'applied';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION app.claim_call(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.claim_call(text) TO replytics_api, replytics_web;
