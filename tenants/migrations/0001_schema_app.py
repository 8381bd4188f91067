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

-- AT TIME ZONE also takes POSIX strings such as foo5, hence the form.
CREATE FUNCTION app.is_timezone(name text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    IF name !~ '^(UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+){1,2})$' THEN
        RETURN false;
    END IF;
    PERFORM pg_catalog.now() AT TIME ZONE name;
    RETURN true;
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
DROP SCHEMA app;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [migrations.RunSQL(APP_SCHEMA, DROP)]
