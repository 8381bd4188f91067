-- Called by app.keep_call_leg() and app.keep_file_leg().
--
-- What an event or a row of a file makes of a leg. The rules do not depend on the order: the
-- furthest status, the longest duration, the earliest times. Of a call under legal hold what is
-- known stays.
CREATE OR REPLACE FUNCTION app.merged_call_leg(leg public.call_legs, parsed jsonb)
RETURNS public.call_legs
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    is_held CONSTANT boolean := leg.status IS NOT NULL
        AND app.is_held(leg.phone_id, leg.call_sid);
    new_duration CONSTANT integer := parsed->>'duration';
    new_start CONSTANT timestamptz := parsed->>'began_at';
    new_end CONSTANT timestamptz := parsed->>'ended_at';
BEGIN
    leg.direction := coalesce(leg.direction, parsed->>'direction');
    leg."to" := coalesce(leg."to", parsed->>'to');
    IF leg.status IS NULL
        OR app.leg_progress(parsed->>'provider_status') > app.leg_progress(leg.status)
    THEN
        leg.status := parsed->>'provider_status';
    END IF;
    IF is_held THEN
        leg.duration := coalesce(leg.duration, new_duration);
        leg.started_at := coalesce(leg.started_at, new_start);
        leg.ended_at := coalesce(leg.ended_at, new_end);
    ELSE
        leg.duration := greatest(leg.duration, new_duration);
        leg.started_at := least(leg.started_at, new_start);
        leg.ended_at := least(leg.ended_at, new_end);
    END IF;
    RETURN leg;
END
$$;
