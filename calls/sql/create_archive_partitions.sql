-- Called by calls.archival.moving and calls.archival.loading. Returns the partitions that it made.
--
-- A partition is built apart and attached: that blocks neither readers nor writers of the archive,
-- as CREATE TABLE … PARTITION OF would. It carries the policies itself and is granted to nobody.
-- The bounds are written and read as text: hence the two settings.
CREATE OR REPLACE FUNCTION app.create_archive_partitions(first timestamptz, last timestamptz)
RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    month timestamptz := date_trunc('month', first);
    partition text;
    grantee regrole;
BEGIN
    IF (first BETWEEN '1970-01-01' AND last AND last < '10000-01-01'
        AND last < first + interval '100 years') IS NOT TRUE
    THEN
        RAISE EXCEPTION 'no partitions from % to %: give a range from 1970 on of at most 100 years',
            first, last USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('app.create_archive_partitions'));
    WHILE month <= last LOOP
        partition := 'calls_archive_' || to_char(month, 'YYYY_MM');
        IF to_regclass('public.' || partition) IS NULL THEN
            -- The CHECK spares every ATTACH the scan that would prove it.
            EXECUTE format(
                'CREATE TABLE public.%I (LIKE public.calls_archive INCLUDING DEFAULTS INCLUDING CONSTRAINTS,'
                ' CONSTRAINT calls_archive_month CHECK (created_at >= %L AND created_at < %L))',
                partition, month, month + interval '1 month');
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                partition);
            EXECUTE format('CREATE POLICY tenant ON public.%I USING (phone_id = (SELECT app.phone()))'
                ' WITH CHECK (phone_id = (SELECT app.phone()))', partition);
            EXECUTE format('CREATE POLICY staff ON public.%I TO replytics_staff USING (true)'
                ' WITH CHECK (true)', partition);
            EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', partition);
            -- Default privileges, as Supabase has them, grant each new table to its API's roles.
            FOR grantee IN SELECT DISTINCT a.grantee FROM pg_class AS c, aclexplode(c.relacl) AS a
                WHERE c.oid = to_regclass('public.' || partition)
                AND a.grantee NOT IN (0, c.relowner)
            LOOP
                EXECUTE format('REVOKE ALL ON public.%I FROM %s', partition, grantee);
            END LOOP;
            -- Not there yet while an earlier migration makes partitions; the later one adds it.
            IF to_regprocedure('app.refuse_truncate_under_hold()') IS NOT NULL THEN
                EXECUTE format('CREATE TRIGGER calls_archive_hold_refuses_truncate BEFORE TRUNCATE'
                    ' ON public.%I FOR EACH STATEMENT'
                    ' EXECUTE FUNCTION app.refuse_truncate_under_hold()', partition);
            END IF;
            EXECUTE format('ALTER TABLE public.calls_archive ATTACH PARTITION public.%I'
                ' FOR VALUES FROM (%L) TO (%L)', partition, month, month + interval '1 month');
            RETURN NEXT partition;
        ELSIF NOT EXISTS (
            SELECT FROM pg_inherits WHERE inhparent = to_regclass('public.calls_archive')
            AND inhrelid = to_regclass('public.' || partition)
        ) THEN
            RAISE EXCEPTION 'public.% is not a partition of calls_archive: attach, rename or drop it',
                partition USING ERRCODE = 'duplicate_table';
        END IF;
        month := month + interval '1 month';
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION app.create_archive_partitions(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.create_archive_partitions(timestamptz, timestamptz)
    TO replytics_staff;
