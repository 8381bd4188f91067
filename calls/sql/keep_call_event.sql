-- Called by app.receive_call_event(), and by calls.intake.webhooks.inbox for every event that this
-- does not take: one of the scope's line, or outside of a scope one of no line. It runs with the
-- owner's rights, past every policy, so what it calls names its line in each statement.
--
-- outcome NULL: to be applied to its call. An event that waits for a call is given to the line
-- that has the call by now: the call may be made meanwhile, so it takes the turns of
-- app.apply_call_event(), then looks with a new snapshot.
--
-- signed: the digest of what was signed. The provider repeats what it got no answer to, and anybody
-- may repeat what was signed, also divided into other names and values: all of it is one row. It
-- keeps the copy of which most could be read, so no copy takes a value away from another.
CREATE OR REPLACE FUNCTION app.keep_call_event(
    sid text, kind text, sequence bigint, payload jsonb, parsed jsonb, reason text, outcome text,
    signed text DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    scope CONSTANT text := nullif(current_setting('app.phone_id', true), '');
    line text := scope;
    kept record;
    ahead integer;
BEGIN
    IF outcome = 'waiting' AND scope IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(sid, 0));
        PERFORM app.await_import();
        SELECT l.phone_id INTO line FROM app.line_of_call(sid) AS l LIMIT 1;
        IF line IS NOT NULL THEN
            PERFORM set_config('app.phone_id', line, true);
            outcome := app.apply_call_event(sid, parsed);
            PERFORM set_config('app.phone_id', '', true);
        END IF;
    ELSIF outcome IS NULL THEN
        outcome := app.apply_call_event(sid, parsed);
    END IF;
    INSERT INTO public.call_events AS e
        (phone_id, call_sid, kind, sequence, payload, parsed, reason, outcome, digest)
    VALUES (line, sid, kind, sequence, payload, parsed, reason, outcome, signed)
    ON CONFLICT (phone_id, digest) WHERE digest IS NOT NULL DO UPDATE SET
        repeats = e.repeats + 1
    RETURNING e.id, e.repeats, e.parsed INTO kept;
    IF kept.repeats > 0 THEN
        ahead := (SELECT count(*) FROM jsonb_object_keys(parsed))
            - (SELECT count(*) FROM jsonb_object_keys(kept.parsed));
        IF ahead > 0 THEN
            UPDATE public.call_events AS e SET call_sid = sid, sequence = keep_call_event.sequence,
                payload = keep_call_event.payload, parsed = keep_call_event.parsed,
                reason = keep_call_event.reason
            WHERE e.id = kept.id;
        END IF;
        IF ahead >= 0 THEN
            UPDATE public.call_events AS e SET outcome = keep_call_event.outcome
            WHERE e.id = kept.id AND e.outcome <> 'applied';
        END IF;
    END IF;
    RETURN outcome;
END
$$;
REVOKE ALL ON FUNCTION app.keep_call_event FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.keep_call_event TO replytics_intake, replytics_web;
