-- Called by app.move_call_parts() and app.absorb_call_decisions(), with rights that pass the policies:
-- hence the line.
--
-- Gives the decisions of one SID to another, which may have made the same. A row is never changed.
CREATE OR REPLACE FUNCTION app.move_call_decisions(line text, old_sid text, new_sid text)
RETURNS void
LANGUAGE sql VOLATILE AS $$
    WITH moved AS (
        DELETE FROM public.call_decisions WHERE (phone_id, call_sid) = (line, old_sid)
        RETURNING *
    )
    INSERT INTO public.call_decisions
        (phone_id, call_sid, digest, at, created_at, facts, settings_version, answer)
    SELECT phone_id, new_sid, digest, at, created_at, facts, settings_version, answer FROM moved
    ON CONFLICT DO NOTHING
$$;
