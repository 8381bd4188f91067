-- Called by the CHECKs of database.columns.is_timezone().
--
-- True for UTC and for Area/Location as the IANA database spells it. PostgreSQL by itself also
-- takes any case (Python's zoneinfo does not) and POSIX strings such as foo5 or Foo/Bar5; but the
-- setting then reads back as the file is called, or, of a POSIX string, in upper case.
CREATE OR REPLACE FUNCTION app.is_timezone(name text) RETURNS boolean LANGUAGE plpgsql STABLE STRICT
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
