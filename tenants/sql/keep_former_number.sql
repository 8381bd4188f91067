-- Called by the trigger number_assignments_stay: a line was deleted, and its rows with it.
--
-- Who gets the number later is not to get the events of before.
CREATE OR REPLACE FUNCTION app.keep_former_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.number_assignments (number, since, until)
    SELECT OLD.number, OLD.since, ended FROM coalesce(OLD.until, now()) AS ended
    WHERE OLD.since IS NULL OR OLD.since < ended;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.keep_former_number() FROM PUBLIC;
