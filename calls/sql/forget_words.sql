-- Called by the triggers calls_forget_words, calls_forget_all_words, calls_archive_forgets_words
-- and calls_archive_forgets_all_words.
--
-- The words of a call stay when it is archived, and go when it is in neither place any more.
CREATE OR REPLACE FUNCTION app.forget_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM public.call_search s
        WHERE NOT EXISTS (SELECT FROM public.calls c WHERE c.id = s.call_id)
            AND NOT EXISTS (SELECT FROM public.calls_archive a WHERE a.id = s.call_id);
    ELSE
        DELETE FROM public.call_search s USING removed r
        WHERE s.call_id = r.id
            AND NOT EXISTS (SELECT FROM public.calls c WHERE c.id = r.id)
            AND NOT EXISTS (
                SELECT FROM public.calls_archive a
                WHERE (a.id, a.created_at) = (r.id, r.created_at)
            );
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.forget_words() FROM PUBLIC;
-- Its owner passes the policies and needs CREATE only for as long as it takes to become that.
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.forget_words() OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
