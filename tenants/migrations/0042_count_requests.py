"""How many requests each credential and line made in the running window, for every process.

Unlogged: a counter that a crash sets to zero harms nobody, and its commits wait for no disk.
"""

from django.db import migrations

# fillfactor: each update stays on its page (HOT), so that the table does not grow.
COUNT_REQUESTS = """
CREATE UNLOGGED TABLE app.request_counts (
    subject text COLLATE "C" PRIMARY KEY,
    period bigint NOT NULL,
    used integer NOT NULL
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 10000);

-- Counts one request for each subject, in the window of `seconds` that now lies in. Returns the
-- counts in the order of the subjects, and the seconds until the window ends. Everybody names the
-- credential before the line, so rows are locked in one order: no deadlock. In plpgsql, whose plans
-- are kept: a function in SQL is planned anew for each request.
CREATE FUNCTION app.count_request(subjects text[], seconds integer)
RETURNS TABLE (used integer[], resets_in integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    now bigint := extract(epoch FROM clock_timestamp())::bigint;
    wanted text;
    counted integer;
    counts integer[];
BEGIN
    FOREACH wanted IN ARRAY subjects LOOP
        INSERT INTO app.request_counts AS c (subject, period, used)
        VALUES (wanted, now / seconds, 1)
        ON CONFLICT (subject) DO UPDATE SET
            used = CASE WHEN c.period = excluded.period THEN c.used + 1 ELSE 1 END,
            period = excluded.period
        RETURNING c.used INTO counted;
        counts := counts || counted;
    END LOOP;
    RETURN QUERY SELECT counts, (seconds - now % seconds)::integer;
END
$$;
REVOKE ALL ON FUNCTION app.count_request(text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.count_request(text[], integer)
    TO replytics_api, replytics_web, replytics_staff;
"""
DROP = """
DROP FUNCTION app.count_request(text[], integer);
DROP TABLE app.request_counts;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0041_find_memberships")]

    operations = [migrations.RunSQL(COUNT_REQUESTS, DROP)]
