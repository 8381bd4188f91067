-- Called by app.merged_call_leg(), with the owner's rights: hence the line.
--
-- Whether the line's call of this SID, live or archived, is under legal hold.
CREATE OR REPLACE FUNCTION app.is_held(line text, sid text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(
        (SELECT legal_hold FROM public.calls WHERE call_sid = sid AND phone_id = line),
        (SELECT legal_hold FROM public.calls_archive WHERE call_sid = sid AND phone_id = line),
        false);
END
$$;
