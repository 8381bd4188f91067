-- Called by app.keep_call_leg() and app.keep_file_leg().
--
-- What an event or a row of a file makes of a leg. The rules do not depend on the order: the
-- furthest status, the longest duration, the earliest times. leg holds the three keys at least.
CREATE OR REPLACE FUNCTION app.merged_call_leg(leg public.call_legs, parsed jsonb)
RETURNS public.call_legs
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    leg.direction := coalesce(leg.direction, parsed->>'direction');
    leg."to" := coalesce(leg."to", parsed->>'to');
    IF leg.status IS NULL
        OR app.leg_progress(parsed->>'provider_status') > app.leg_progress(leg.status)
    THEN
        leg.status := parsed->>'provider_status';
    END IF;
    leg.duration := greatest(leg.duration, (parsed->>'duration')::integer);
    leg.started_at := least(leg.started_at, (parsed->>'began_at')::timestamptz);
    leg.ended_at := least(leg.ended_at, (parsed->>'ended_at')::timestamptz);
    RETURN leg;
END
$$;
