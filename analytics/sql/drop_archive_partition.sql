-- Called by calls.archival.dropping, for somebody who proves to hold a copy of the month. It
-- stands here because its statistics are sealed in the same transaction; the words of its calls go
-- too, since DETACH and DROP fire no trigger.
--
-- DETACH … CONCURRENTLY would spare readers of the archive a moment, but cannot be part of a
-- transaction: killed in between it leaves half a partition. Here all of it happens or nothing.
CREATE OR REPLACE FUNCTION app.drop_archive_partition(
    month timestamptz, calls bigint, checksum bigint
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first timestamptz := date_trunc('month', month, 'UTC');
    next timestamptz := (date_trunc('month', month AT TIME ZONE 'UTC') + interval '1 month')
        AT TIME ZONE 'UTC';
    partition text := 'calls_archive_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
    held bigint;
    found_calls bigint;
    found_checksum bigint;
BEGIN
    IF to_regclass('public.' || partition) IS NULL THEN
        RAISE EXCEPTION 'Partition % does not exist.', partition USING ERRCODE = 'undefined_table';
    END IF;
    -- Writers wait from here on, readers go on until DETACH.
    EXECUTE format('LOCK TABLE public.%I IN SHARE ROW EXCLUSIVE MODE', partition);
    SELECT count(*), coalesce(bit_xor(hash_record_extended(a, 0)), 0),
        count(*) FILTER (WHERE legal_hold)
    INTO found_calls, found_checksum, held
    FROM public.calls_archive a WHERE a.created_at >= first AND a.created_at < next;
    IF held > 0 THEN
        RAISE EXCEPTION '% holds % calls under legal hold.', partition, held
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF (found_calls, found_checksum) IS DISTINCT FROM (calls, checksum) THEN
        RAISE EXCEPTION '% does not hold what the file holds.', partition
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF EXISTS (SELECT FROM public.rollup_queue q WHERE q.bucket >= first AND q.bucket < next) THEN
        RAISE EXCEPTION 'Statistics of % are not complete yet: run roll_up_calls first.', partition
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO public.sealed_months AS s (phone_id, since, until, calls)
    SELECT a.phone_id, first, next, count(*)
    FROM public.calls_archive a WHERE a.created_at >= first AND a.created_at < next
    GROUP BY a.phone_id
    ON CONFLICT (phone_id, since) DO UPDATE SET calls = s.calls + excluded.calls;
    EXECUTE format('DELETE FROM public.call_search s USING public.%I p'
        ' WHERE s.call_id = p.id', partition);
    EXECUTE format('DELETE FROM app.archived_call_sids s USING public.%I p'
        ' WHERE s.call_sid = p.call_sid', partition);
    EXECUTE format('ALTER TABLE public.calls_archive DETACH PARTITION public.%I', partition);
    EXECUTE format('DROP TABLE public.%I', partition);
END
$$;
REVOKE ALL ON FUNCTION app.drop_archive_partition(timestamptz, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.drop_archive_partition(timestamptz, bigint, bigint)
    TO replytics_staff;
