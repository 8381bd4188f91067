-- Called by the triggers calls_index_words, calls_index_changed_words and
-- calls_archive_index_changed_words.
--
-- It writes as staff what no tenant may write, and only ever for the row that fired it.
CREATE OR REPLACE FUNCTION app.index_call_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.call_search (call_id, phone_id, document)
    VALUES (NEW.id, NEW.phone_id, app.call_document(NEW.transcript, NEW.ai_summary))
    ON CONFLICT (call_id) DO UPDATE SET document = EXCLUDED.document;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.index_call_words() FROM PUBLIC;
-- Its owner passes the policies and needs CREATE only for as long as it takes to become that.
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.index_call_words() OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
