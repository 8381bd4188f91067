-- Called by the trigger phone_numbers_requeue.
--
-- Days are cut by the line's clock: with another timezone every day of the line is another one.
-- Each hour that has numbers is queued, so the days are computed from the calls until rolled up.
CREATE OR REPLACE FUNCTION app.requeue_line() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    SELECT phone_id, date_bucket FROM public.call_analytics WHERE phone_id = NEW.id;
    DELETE FROM public.daily_call_stats WHERE phone_id = NEW.id;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.requeue_line() FROM PUBLIC;
