-- Called by the triggers calls_hold_keeps_rows and calls_archive_hold_keeps_rows.
--
-- A held call may leave the archive when all of it stands among the live calls: it was restored.
CREATE OR REPLACE FUNCTION app.refuse_delete_under_hold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    restored boolean := false;
BEGIN
    IF TG_TABLE_NAME <> 'calls' THEN
        SELECT (c.phone_id, c.call_sid, c.caller_number, c.recording_url, c.transcript,
                    c.ai_summary, c.created_at, c.legal_hold)
                IS NOT DISTINCT FROM (OLD.phone_id, OLD.call_sid, OLD.caller_number,
                    OLD.recording_url, OLD.transcript, OLD.ai_summary, OLD.created_at, OLD.legal_hold)
            AND (OLD.metadata_created_at IS NULL
                OR (m.metadata, m.tags, m.custom_fields, m.created_at)
                    IS NOT DISTINCT FROM (OLD.metadata, OLD.tags, OLD.custom_fields,
                        OLD.metadata_created_at))
            AND jsonb_array_length(OLD.legs) = (SELECT count(*) FROM public.call_legs AS l
                WHERE (l.phone_id, l.call_sid) = (OLD.phone_id, OLD.call_sid))
            AND jsonb_array_length(OLD.recordings) = (SELECT count(*) FROM public.call_recordings AS r
                WHERE (r.phone_id, r.call_sid) = (OLD.phone_id, OLD.call_sid))
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
