-- Called by the trigger number_assignments_stay: a line was deleted, and its rows with it.
--
-- Who gets the number later is not to get the events of before.
CREATE OR REPLACE FUNCTION app.keep_former_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    beginning CONSTANT timestamptz := CASE WHEN OLD.recorded_at > now() - interval '1 day'
        AND OLD.until IS NULL THEN coalesce(OLD.since, OLD.recorded_at) ELSE OLD.since END;
    ended CONSTANT timestamptz := coalesce(OLD.until, now());
BEGIN
    INSERT INTO public.number_assignments (number, since, until, recorded_at)
    SELECT OLD.number, beginning, ended, OLD.recorded_at
    WHERE beginning IS NULL OR beginning < ended;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.keep_former_number() FROM PUBLIC;
