-- Called by triggers of business_hours and business_hours_intervals.
--
-- Whether the hours of a line's weekday overlap: its further intervals, and its row of
-- business_hours where that is open and on the line's clock. The line's row is written, so that
-- of two writers at once the second sees the first's hours, or fails where its snapshot is older.
CREATE OR REPLACE FUNCTION app.hours_overlap(line text, weekday integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.phone_numbers SET timezone = timezone WHERE id = line;
    RETURN (
        SELECT app.any_overlap(array_agg(open_time), array_agg(close_time))
        FROM (
            SELECT open_time, close_time FROM public.business_hours_intervals
            WHERE phone_id = line AND day_of_week = weekday
            UNION ALL
            SELECT open_time, close_time
            FROM public.business_hours JOIN public.phone_numbers ON phone_numbers.id = phone_id
            WHERE phone_id = line AND day_of_week = weekday AND NOT is_closed
                AND business_hours.timezone = phone_numbers.timezone
        ) AS hours);
END
$$;
