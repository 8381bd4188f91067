"""The functions that policies, CHECKs and triggers call, in a schema of their own."""

from django.db import migrations

APP_SCHEMA = """
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO PUBLIC;
-- The serving logins may ask which migrations ran; they never write the answer.
GRANT SELECT ON django_migrations TO replytics_web, replytics_staff;

-- The line of the active scope. Raises rather than return nothing: an empty answer would look
-- like a line without calls. PARALLEL SAFE, or no query under row level security may be parallel.
CREATE FUNCTION app.phone() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
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

-- True for UTC and for Area/Location as the IANA database spells it. PostgreSQL by itself also takes
-- any case (Python's zoneinfo does not) and POSIX strings such as foo5 or Foo/Bar5; but the setting
-- then reads back as the file is called, or, of a POSIX string, in upper case.
CREATE FUNCTION app.is_timezone(name text) RETURNS boolean LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF name !~ '^(UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+){1,2})$' OR name !~ '[a-z]|^UTC$' THEN
        RETURN false;
    END IF;
    PERFORM set_config('timezone', name, true);  -- until the function returns
    RETURN current_setting('timezone') = name;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$$;

CREATE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = pg_catalog.now();
    RETURN NEW;
END
$$;
"""

DROP = """
DROP FUNCTION update_updated_at_column();
DROP FUNCTION app.is_timezone(text);
DROP FUNCTION app.phone();
REVOKE SELECT ON django_migrations FROM replytics_web, replytics_staff;
DROP SCHEMA app;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [migrations.RunSQL(APP_SCHEMA, DROP)]
