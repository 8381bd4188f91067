-- Called by the triggers calls_hold_keeps_rows and calls_archive_hold_keeps_rows.
--
-- A held call may leave the archive when all of it stands among the live calls: it was restored.
CREATE OR REPLACE FUNCTION app.refuse_delete_under_hold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    archive_only CONSTANT text[] := ARRAY['metadata', 'tags', 'custom_fields',
        'metadata_created_at', 'archived_at', 'legs', 'recordings', 'decisions'];
    keys CONSTANT text[] := ARRAY['phone_id', 'call_sid'];
    restored boolean := false;
BEGIN
    IF TG_TABLE_NAME <> 'calls' THEN
        SELECT to_jsonb(c) = to_jsonb(OLD) - archive_only
            AND CASE WHEN OLD.metadata_created_at IS NULL THEN m.call_id IS NULL
                ELSE (m.metadata, m.tags, m.custom_fields, m.created_at)
                    = (OLD.metadata, OLD.tags, OLD.custom_fields, OLD.metadata_created_at) END
            -- As rows of their tables: the archive has times as a session wrote them.
            AND (SELECT jsonb_agg(to_jsonb(l) - keys ORDER BY l.leg_sid)
                    FROM public.call_legs AS l
                    WHERE (l.phone_id, l.call_sid) = (OLD.phone_id, OLD.call_sid))
                IS NOT DISTINCT FROM (SELECT jsonb_agg(to_jsonb(l) - keys ORDER BY l.leg_sid)
                    FROM jsonb_populate_recordset(NULL::public.call_legs, OLD.legs) AS l)
            AND (SELECT jsonb_agg(to_jsonb(r) - keys ORDER BY r.recording_sid)
                    FROM public.call_recordings AS r
                    WHERE (r.phone_id, r.call_sid) = (OLD.phone_id, OLD.call_sid))
                IS NOT DISTINCT FROM (SELECT jsonb_agg(to_jsonb(r) - keys ORDER BY r.recording_sid)
                    FROM jsonb_populate_recordset(
                        NULL::public.call_recordings, OLD.recordings) AS r)
            AND (SELECT jsonb_agg(to_jsonb(d) - keys ORDER BY d.digest)
                    FROM public.call_decisions AS d
                    WHERE (d.phone_id, d.call_sid) = (OLD.phone_id,
                        replace(OLD.call_sid, app.claimed_sid('', OLD.phone_id), '')))
                IS NOT DISTINCT FROM (SELECT jsonb_agg(to_jsonb(d) - keys ORDER BY d.digest)
                    FROM jsonb_populate_recordset(
                        NULL::public.call_decisions, OLD.decisions) AS d)
        INTO restored
        FROM public.calls AS c LEFT JOIN public.call_metadata AS m ON m.call_id = c.id
        WHERE c.id = OLD.id;
    END IF;
    IF restored THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The call is under legal hold: what is known of it cannot be changed or deleted until staff release the hold.'
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END
$$;
REVOKE ALL ON FUNCTION app.refuse_delete_under_hold() FROM PUBLIC;
