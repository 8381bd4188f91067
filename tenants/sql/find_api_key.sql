-- Called by tenants.api.authentication, before any line is known.
--
-- Takes the hash rather than returns it: no login can list hashes of other lines through this.
CREATE OR REPLACE FUNCTION app.find_api_key(key_prefix text, hash text)
RETURNS TABLE (id uuid, phone_id text, name text, scopes text[], last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.id, k.phone_id, k.name, k.scopes, k.last_used_at
    FROM public.api_keys AS k
    WHERE k.prefix = key_prefix AND k.secret_hash = hash AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now())
$$;
REVOKE ALL ON FUNCTION app.find_api_key(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.find_api_key(text, text)
    TO replytics_api, replytics_web, replytics_staff;
