-- Called by the triggers calls_queue_deleted and calls_archive_queue_deleted.
--
-- It appends to the queue as its owner: a writer pays for no policy, and needs no right.
CREATE OR REPLACE FUNCTION app.queue_deleted_calls() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    SELECT DISTINCT phone_id, date_trunc('hour', created_at, 'UTC') FROM deleted;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.queue_deleted_calls() FROM PUBLIC;
