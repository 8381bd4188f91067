-- Called by the trigger phone_numbers_holder, and with the owner's rights: nobody else writes the
-- table.
--
-- A number that nobody held before is taken to have been the line's always. Else it is the line's
-- from now on, or from the end of the last one, which may have begun its transaction later.
CREATE OR REPLACE FUNCTION app.record_number_holder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- Held for no time at all, where one transaction changes the number twice.
        DELETE FROM public.number_assignments
        WHERE number = OLD.number AND until IS NULL AND since >= now();
        UPDATE public.number_assignments SET until = now()
        WHERE number = OLD.number AND until IS NULL;
    END IF;
    INSERT INTO public.number_assignments (number, phone_id, since)
    SELECT NEW.number, NEW.id, CASE WHEN count(*) > 0 THEN greatest(now(), max(until)) END
    FROM public.number_assignments WHERE number = NEW.number;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.record_number_holder() FROM PUBLIC;
