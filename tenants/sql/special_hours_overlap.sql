-- Called by a trigger of special_day_intervals.
--
-- Whether two intervals of a special day overlap. The day's row is written for the reason that
-- app.hours_overlap() gives.
CREATE OR REPLACE FUNCTION app.special_hours_overlap(line text, day uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.special_days SET date = date WHERE phone_id = line AND id = day;
    RETURN (
        SELECT app.any_overlap(array_agg(open_time), array_agg(close_time))
        FROM public.special_day_intervals WHERE phone_id = line AND special_day_id = day);
END
$$;
