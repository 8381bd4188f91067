-- Called by the trigger legal_holds_by_staff, with the rights of whoever writes.
--
-- Only staff place and release, a release names who and why, and nothing else of a hold changes.
-- The times are the database's, and the line is that of the call.
CREATE OR REPLACE FUNCTION app.record_legal_hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line text;
BEGIN
    IF current_user <> 'replytics_staff' THEN
        RAISE EXCEPTION 'Only staff place and release legal holds (role replytics_staff).'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT phone_id INTO line FROM public.calls WHERE id = NEW.call_id;
        IF line IS NULL THEN
            SELECT phone_id INTO line FROM public.calls_archive WHERE id = NEW.call_id;
        END IF;
        IF line IS NULL OR NEW.phone_id <> line THEN
            RAISE EXCEPTION 'A hold names a call of its line, live or archived.'
                USING ERRCODE = 'check_violation',
                TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
        END IF;
        NEW.phone_id := line;
        NEW.placed_at := now();
        NEW.released_at := NULL;
        NEW.released_by := NULL;
        NEW.release_reason := NULL;
        RETURN NEW;
    END IF;
    IF OLD.released_at IS NOT NULL
        OR (OLD.id, OLD.phone_id, OLD.call_id, OLD.reason, OLD.case_reference, OLD.placed_by, OLD.placed_at)
            IS DISTINCT FROM (NEW.id, NEW.phone_id, NEW.call_id, NEW.reason, NEW.case_reference,
                NEW.placed_by, NEW.placed_at)
        OR NEW.released_by IS NULL OR NEW.release_reason IS NULL
    THEN
        RAISE EXCEPTION 'A hold changes once, when it is released: set released_by and release_reason.'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    NEW.released_at := now();
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION app.record_legal_hold() FROM PUBLIC;
