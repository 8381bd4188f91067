-- Called by triggers of phone_numbers, and with the owner's rights: nobody else writes the table.
--
-- A number that nobody held before is taken to have been the line's always; one that is changed
-- within a day was likely a mistake, and the line's from then on alone. Who comes next has it from
-- now on, or from the end of the last one, which may have begun its transaction later; and what
-- was before the first one.
CREATE OR REPLACE FUNCTION app.record_number_holder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    taken CONSTANT text := app.one_number(NEW.number);
    left_behind text;
    beginning timestamptz;
    ended timestamptz;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        left_behind := app.one_number(OLD.number);
        IF left_behind = taken THEN
            RETURN NULL;
        END IF;
        -- Held for no time at all, where one transaction changes the number twice.
        DELETE FROM public.number_assignments
        WHERE number = left_behind AND until IS NULL AND coalesce(since, recorded_at) >= now();
        UPDATE public.number_assignments SET until = now(),
            since = CASE WHEN recorded_at > now() - interval '1 day'
                THEN coalesce(since, recorded_at) ELSE since END
        WHERE number = left_behind AND until IS NULL;
    END IF;
    SELECT min(coalesce(since, '-infinity')), max(until) INTO beginning, ended
    FROM public.number_assignments WHERE number = taken;
    IF beginning > '-infinity' THEN
        INSERT INTO public.number_assignments (number, phone_id, until)
        VALUES (taken, NEW.id, beginning);
    END IF;
    INSERT INTO public.number_assignments (number, phone_id, since)
    VALUES (taken, NEW.id, CASE WHEN beginning IS NOT NULL THEN greatest(now(), ended) END);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.record_number_holder() FROM PUBLIC;
