-- Called by the trigger calls_queue_updated.
--
-- It appends to the queue as its owner: a writer pays for no policy, and needs no right.
CREATE OR REPLACE FUNCTION app.queue_updated_call() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    VALUES (NEW.phone_id, date_trunc('hour', NEW.created_at, 'UTC'));
    IF OLD.created_at <> NEW.created_at THEN
        INSERT INTO public.rollup_queue (phone_id, bucket)
        VALUES (OLD.phone_id, date_trunc('hour', OLD.created_at, 'UTC'));
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.queue_updated_call() FROM PUBLIC;
