-- Called by the trigger calls_archive_index_words: an archived call has its words however it came
-- there.
CREATE OR REPLACE FUNCTION app.index_archived_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.call_search (call_id, phone_id, document)
    SELECT id, phone_id, app.call_document(transcript, ai_summary) FROM added
    WHERE transcript IS NOT NULL OR ai_summary IS NOT NULL
    ON CONFLICT (call_id) DO NOTHING;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.index_archived_words() FROM PUBLIC;
-- Its owner passes the policies and needs CREATE only for as long as it takes to become that.
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.index_archived_words() OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
