"""What keeps call_sid unique over calls and calls_archive together.

A partitioned table cannot be unique by call_sid, and looking a SID up in each partition costs an
INSERT more than the rest of it. So the archive's SIDs stand once more in one table, which nobody
but these functions writes. AFTER triggers, because theirs is a snapshot that includes what was
committed while the INSERT waited: an archiver that moved the very call away in the meantime.
"""

from django.db import migrations

ARCHIVED_SIDS = """
CREATE TABLE app.archived_call_sids (
    call_sid text COLLATE "C" PRIMARY KEY
);
REVOKE ALL ON app.archived_call_sids FROM PUBLIC;
-- The restorer takes a call off this list before it inserts it again.
GRANT SELECT, DELETE ON app.archived_call_sids TO replytics_staff;
INSERT INTO app.archived_call_sids SELECT call_sid FROM calls_archive;

CREATE FUNCTION app.refuse_archived_sid() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM app.archived_call_sids WHERE call_sid = NEW.call_sid) THEN
        RAISE EXCEPTION 'A call with this SID was archived.' USING ERRCODE = 'unique_violation',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION app.remember_archived_sids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO app.archived_call_sids SELECT call_sid FROM added;
    -- The archiver copies what the same statement deleted, and says so.
    IF current_setting('app.archiving', true) IS DISTINCT FROM 'on'
        AND EXISTS (SELECT FROM public.calls JOIN added USING (call_sid))
    THEN
        RAISE EXCEPTION 'A call cannot be live and archived at once.'
            USING ERRCODE = 'unique_violation',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION app.forget_archived_sids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE app.archived_call_sids;
    ELSE
        DELETE FROM app.archived_call_sids USING removed
        WHERE archived_call_sids.call_sid = removed.call_sid;
    END IF;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION app.refuse_archived_sid(), app.remember_archived_sids(),
    app.forget_archived_sids() FROM PUBLIC;
"""

DROP = """
DROP FUNCTION app.refuse_archived_sid();
DROP FUNCTION app.remember_archived_sids();
DROP FUNCTION app.forget_archived_sids();
DROP TABLE app.archived_call_sids;
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0030_archive_ledger")]

    operations = [migrations.RunSQL(ARCHIVED_SIDS, DROP)]
