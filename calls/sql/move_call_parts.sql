-- Called by the trigger calls_parts_follow_sid.
--
-- Legs and recordings go with their call to the SID that the provider confirms. Its decisions have
-- that SID from the beginning: they go where the provider's SID is another.
CREATE OR REPLACE FUNCTION app.move_call_parts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old_sid CONSTANT text := replace(OLD.call_sid, app.claimed_sid('', OLD.phone_id), '');
    new_sid CONSTANT text := replace(NEW.call_sid, app.claimed_sid('', NEW.phone_id), '');
BEGIN
    UPDATE public.call_legs SET call_sid = NEW.call_sid
    WHERE (phone_id, call_sid) = (OLD.phone_id, OLD.call_sid);
    UPDATE public.call_recordings SET call_sid = NEW.call_sid
    WHERE (phone_id, call_sid) = (OLD.phone_id, OLD.call_sid);
    IF old_sid <> new_sid THEN
        PERFORM app.move_call_decisions(NEW.phone_id, old_sid, new_sid);
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.move_call_parts() FROM PUBLIC;
-- Its owner passes the policies and needs CREATE only for as long as it takes to become that.
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.move_call_parts() OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
