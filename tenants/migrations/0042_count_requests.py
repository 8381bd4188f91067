"""How many requests each credential and line made in the running window, over all processes.

Unlogged: a counter that a crash sets to zero harms nobody, and its commits wait for no disk.
"""

from django.db import migrations

# fillfactor: each update stays on its page (HOT), so that the table does not grow.
COUNTS = """
CREATE UNLOGGED TABLE app.request_counts (
    subject text COLLATE "C" PRIMARY KEY,
    period bigint NOT NULL,
    used integer NOT NULL
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 10000);
"""
# Called by api.rate_limit.
FUNCTIONS = """
-- Reserves requests for all subjects (a credential and its line), in the window of so many seconds
-- that now lies in: at most `wanted`, and a sixteenth of what is left of the limit that leaves
-- least, so that no process takes what others need; 0 when a limit is reached. First gives back
-- what the caller did not spend of its reservation in the window `reserved_in`.
-- used: of each subject, this reservation included. period: the window. resets_in: seconds until
-- it ends. Everybody names the credential before the line, so rows are locked in one order.
CREATE FUNCTION app.reserve_requests(subjects text[], limits integer[], seconds integer,
    wanted integer, unspent integer, reserved_in bigint)
RETURNS TABLE (granted integer, used integer[], period bigint, resets_in double precision)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    now double precision := extract(epoch FROM clock_timestamp());
    this_period bigint := floor(now / seconds);
    share integer := wanted;
    counted integer;
    counts integer[];
BEGIN
    FOR number IN 1 .. cardinality(subjects) LOOP
        INSERT INTO app.request_counts AS c (subject, period, used)
        VALUES (subjects[number], this_period, 0)
        ON CONFLICT (subject) DO UPDATE SET
            used = CASE WHEN c.period < excluded.period THEN 0
                WHEN c.period = reserved_in THEN greatest(c.used - unspent, 0)
                ELSE c.used END,
            period = greatest(c.period, excluded.period)
        RETURNING c.used INTO counted;
        counts := counts || counted;
        share := least(share, (limits[number] - counted + 15) / 16);
    END LOOP;
    share := greatest(share, 0);
    IF share > 0 THEN
        UPDATE app.request_counts AS c SET used = c.used + share WHERE c.subject = ANY (subjects);
    END IF;
    RETURN QUERY SELECT share, ARRAY(SELECT share + one FROM unnest(counts) AS one), this_period,
        seconds * (this_period + 1) - now;
END
$$;
REVOKE ALL ON FUNCTION
    app.reserve_requests(text[], integer[], integer, integer, integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    app.reserve_requests(text[], integer[], integer, integer, integer, bigint)
    TO replytics_api, replytics_web;

-- Deletes the counters of earlier windows: those of clients that went away, and of keys, users and
-- lines that were deleted. Skips what a request is about to use.
CREATE FUNCTION app.prune_request_counts(seconds integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH deleted AS (
        DELETE FROM app.request_counts WHERE subject IN (
            SELECT subject FROM app.request_counts
            WHERE period < floor(extract(epoch FROM clock_timestamp()) / seconds)
            FOR UPDATE SKIP LOCKED
        ) RETURNING subject
    )
    SELECT count(*) FROM deleted
$$;
REVOKE ALL ON FUNCTION app.prune_request_counts(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.prune_request_counts(integer) TO replytics_web;
"""
DROP_FUNCTIONS = """
DROP FUNCTION app.prune_request_counts(integer);
DROP FUNCTION app.reserve_requests(text[], integer[], integer, integer, integer, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0041_find_memberships")]

    operations = [
        migrations.RunSQL(COUNTS, "DROP TABLE app.request_counts"),
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
    ]
