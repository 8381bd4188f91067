-- Called by the trigger calls_archive_hold_keeps_evidence.
--
-- Whether the legs, recordings or decisions of an archived call, as base is a row of their table, are
-- still all given, one of each key, and each with all that was known of it. What was not known may be
-- filled in, and the provider's word for its status may be a later one.
CREATE OR REPLACE FUNCTION app.keeps_parts(base anyelement, known jsonb, given jsonb)
RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    growing CONSTANT text[] := ARRAY['status', 'state'];
BEGIN
    -- As rows of the table: the same time is written differently in another time zone.
    RETURN jsonb_array_length(given) = (
        SELECT count(DISTINCT coalesce(part->>'leg_sid', part->>'recording_sid', part->>'digest'))
        FROM jsonb_array_elements(given) AS part
    ) AND NOT EXISTS (
        SELECT FROM (
            SELECT to_jsonb(k) FROM jsonb_populate_recordset(base, known) AS k
        ) AS old (part)
        WHERE NOT EXISTS (
            SELECT FROM (
                SELECT to_jsonb(g) FROM jsonb_populate_recordset(base, given) AS g
            ) AS new (part)
            WHERE new.part - growing @> jsonb_strip_nulls(old.part - growing)
                AND (new.part->>'status' IS NOT DISTINCT FROM old.part->>'status'
                    OR app.leg_progress(new.part->>'status')
                        > app.leg_progress(old.part->>'status'))
                AND (new.part->>'state' IS NOT DISTINCT FROM old.part->>'state'
                    OR app.recording_progress(new.part->>'state')
                        > app.recording_progress(old.part->>'state'))));
END
$$;
