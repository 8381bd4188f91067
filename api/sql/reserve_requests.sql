-- Called by api.rate_limit.
--
-- Reserves requests for all subjects (a credential and its line), in the window of so many seconds
-- that now lies in: at most `wanted`, and a sixteenth of what is left of the limit that leaves
-- least, so that no process takes what others need; 0 when a limit is reached. First gives back
-- what the caller did not spend of its reservation in the window `reserved_in`.
--
-- used: of each subject, this reservation included. period: the window. resets_in: seconds until
-- it ends. Everybody names the credential before the line, so rows are locked in one order.
CREATE OR REPLACE FUNCTION app.reserve_requests(
    subjects text[], limits integer[], seconds integer,
    wanted integer, unspent integer, reserved_in bigint
)
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
REVOKE ALL ON FUNCTION app.reserve_requests FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.reserve_requests TO replytics_api, replytics_web;
