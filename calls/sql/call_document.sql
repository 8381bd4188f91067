-- Called by app.index_call_words() and app.index_archived_words().
--
-- A tsvector holds less than 1 MiB: whatever is said in 200,000 characters (some three hours)
-- fits, and what comes after is not found rather than the call not saved.
CREATE OR REPLACE FUNCTION app.call_document(transcript text, ai_summary text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('app.words',
        left(coalesce(ai_summary, '') || E'\n' || coalesce(transcript, ''), 200000))
$$;
