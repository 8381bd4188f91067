-- Called by the trigger legal_holds_mark_call, as staff.
--
-- Keeps legal_hold of the call, which the archiver may move meanwhile: hence more than one look.
-- Each look locks the call first, so that two releases at once see each other; and the rows that
-- belong to it, so that a change of them that began before the hold is over when the hold stands.
CREATE OR REPLACE FUNCTION app.mark_held_call() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    FOR look IN 1..3 LOOP
        PERFORM FROM public.calls WHERE id = NEW.call_id FOR UPDATE;
        IF FOUND THEN
            PERFORM FROM public.call_metadata WHERE call_id = NEW.call_id FOR UPDATE;
            PERFORM FROM public.call_legs JOIN public.calls USING (phone_id, call_sid)
            WHERE id = NEW.call_id FOR UPDATE OF call_legs;
            PERFORM FROM public.call_recordings JOIN public.calls USING (phone_id, call_sid)
            WHERE id = NEW.call_id FOR UPDATE OF call_recordings;
            PERFORM FROM public.call_decisions AS d JOIN public.calls AS c
                ON (d.phone_id, d.call_sid)
                    = (c.phone_id, replace(c.call_sid, app.claimed_sid('', c.phone_id), ''))
            WHERE c.id = NEW.call_id FOR UPDATE OF d;
            UPDATE public.calls AS c SET legal_hold = h.held
            FROM (SELECT EXISTS (SELECT FROM public.legal_holds
                WHERE call_id = NEW.call_id AND released_at IS NULL)) AS h (held)
            WHERE c.id = NEW.call_id AND c.legal_hold <> h.held;
            RETURN NULL;
        END IF;
        PERFORM FROM public.calls_archive WHERE id = NEW.call_id FOR UPDATE;
        IF FOUND THEN
            UPDATE public.calls_archive AS c SET legal_hold = h.held
            FROM (SELECT EXISTS (SELECT FROM public.legal_holds
                WHERE call_id = NEW.call_id AND released_at IS NULL)) AS h (held)
            WHERE c.id = NEW.call_id AND c.legal_hold <> h.held;
            RETURN NULL;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'The call was deleted while it was put under legal hold.'
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END
$$;
REVOKE ALL ON FUNCTION app.mark_held_call() FROM PUBLIC;
