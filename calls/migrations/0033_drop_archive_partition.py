"""A month leaves the archive whole, and only for somebody who proves to hold a copy of it.

DETACH … CONCURRENTLY would spare readers of the archive a moment, but cannot be part of a
transaction: killed in between it leaves half a partition. Here all of it happens or nothing.
"""

from django.db import migrations

DROP_PARTITION = """
CREATE FUNCTION app.drop_archive_partition(month timestamptz, calls bigint, checksum bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
        RAISE EXCEPTION 'There is no partition %.', partition USING ERRCODE = 'undefined_table';
    END IF;
    -- Writers wait from here on, readers go on until DETACH.
    EXECUTE format('LOCK TABLE public.%I IN SHARE ROW EXCLUSIVE MODE', partition);
    SELECT count(*), coalesce(bit_xor(hash_record_extended(a, 0)), 0), count(*) FILTER (WHERE legal_hold)
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
    EXECUTE format('DELETE FROM app.archived_call_sids s USING public.%I p'
        ' WHERE s.call_sid = p.call_sid', partition);
    EXECUTE format('ALTER TABLE public.calls_archive DETACH PARTITION public.%I', partition);
    EXECUTE format('DROP TABLE public.%I', partition);
END
$$;
REVOKE ALL ON FUNCTION app.drop_archive_partition(timestamptz, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.drop_archive_partition(timestamptz, bigint, bigint)
    TO replytics_staff;
"""
DROP = "DROP FUNCTION app.drop_archive_partition(timestamptz, bigint, bigint)"


class Migration(migrations.Migration):
    dependencies = [("calls", "0032_call_sid_unique_over_both")]

    operations = [migrations.RunSQL(DROP_PARTITION, DROP)]
