-- Called by people and programs that write SQL: SELECT c.archived_outcome FROM calls_archive AS c.
--
-- How an archived call ended: what outcome() is of a live one.
CREATE OR REPLACE FUNCTION public.archived_outcome(call public.calls_archive) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT app.call_outcome(call.status, call.provider_status, call.duration, call.metadata,
        ARRAY(SELECT l->>'status' FROM jsonb_array_elements(call.legs) AS l))
$$;
