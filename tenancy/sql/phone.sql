-- Called by every policy `tenant` and by each function that passes the policies.
--
-- The line of the active scope. Raises rather than return nothing: an empty answer would look like
-- a line without calls. PARALLEL SAFE, or no query under row level security may be parallel.
CREATE OR REPLACE FUNCTION app.phone() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    line text := pg_catalog.current_setting('app.phone_id', true);
BEGIN
    IF line IS NULL OR line = '' THEN
        RAISE EXCEPTION 'no tenant is active' USING ERRCODE = 'insufficient_privilege',
            HINT = 'Enter tenant(phone_id) or all_tenants(reason) first.';
    END IF;
    RETURN line;
END
$$;
