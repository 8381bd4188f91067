-- Called by the trigger calls_queue_inserted.
--
-- It appends to the queue as its owner: a writer pays for no policy, and needs no right. Hours are
-- not made distinct: that costs a single call more than its row in the queue.
CREATE OR REPLACE FUNCTION app.queue_new_calls() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    SELECT phone_id, date_trunc('hour', created_at, 'UTC') FROM inserted;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.queue_new_calls() FROM PUBLIC;
