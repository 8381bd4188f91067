-- Called by app.hours_overlap() and app.special_hours_overlap().
--
-- Whether two intervals of a day overlap. A closing time that is not after the opening time is the
-- next day's. Intervals that touch do not overlap.
CREATE OR REPLACE FUNCTION app.any_overlap(opens time[], closes time[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH hours AS (
        SELECT number, tsrange(
            date '2000-01-01' + open_time,
            date '2000-01-01' + (close_time <= open_time)::integer + close_time) AS span
        FROM unnest(opens, closes) WITH ORDINALITY AS given (open_time, close_time, number))
    SELECT EXISTS (
        SELECT FROM hours AS one JOIN hours AS other
            ON one.number < other.number AND one.span && other.span)
$$;
