"""Changed (line, hour) pairs, appended by triggers on calls and its archive.

Append-only: nothing is ever updated or merged on the way in, so a writer waits for no other writer
and no change can hide behind another one's row.
"""

from django.db import migrations, models

import tenancy.constraints
import tenancy.models
from tenancy.constraints import protect_sql

# Statement triggers: one INSERT … SELECT DISTINCT however many rows a statement touches.
TRIGGERS = """
CREATE FUNCTION app.queue_inserted_calls() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    SELECT DISTINCT phone_id, date_trunc('hour', created_at, 'UTC') FROM inserted;
    RETURN NULL;
END
$$;

CREATE FUNCTION app.queue_deleted_calls() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    SELECT DISTINCT phone_id, date_trunc('hour', created_at, 'UTC') FROM deleted;
    RETURN NULL;
END
$$;

CREATE FUNCTION app.queue_updated_call() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    VALUES (NEW.phone_id, date_trunc('hour', NEW.created_at, 'UTC'));
    IF OLD.created_at <> NEW.created_at THEN
        INSERT INTO public.rollup_queue (phone_id, bucket)
        VALUES (OLD.phone_id, date_trunc('hour', OLD.created_at, 'UTC'));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER calls_queue_inserted AFTER INSERT ON calls REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION app.queue_inserted_calls();
CREATE TRIGGER calls_queue_deleted AFTER DELETE ON calls REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION app.queue_deleted_calls();
-- Per row, since only that can skip an update of a transcript before any function is called.
CREATE TRIGGER calls_queue_updated AFTER UPDATE ON calls FOR EACH ROW
    WHEN ((OLD.status, OLD.duration, OLD.caller_number, OLD.created_at)
        IS DISTINCT FROM (NEW.status, NEW.duration, NEW.caller_number, NEW.created_at))
    EXECUTE FUNCTION app.queue_updated_call();
CREATE TRIGGER calls_archive_queue_inserted AFTER INSERT ON calls_archive
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION app.queue_inserted_calls();
CREATE TRIGGER calls_archive_queue_deleted AFTER DELETE ON calls_archive
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION app.queue_deleted_calls();

-- Days are cut by the line's clock: with another timezone every day of the line is another one.
-- Each hour that has numbers is queued, so the days are computed from the calls until rolled up.
CREATE FUNCTION app.requeue_line() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    SELECT phone_id, date_bucket FROM public.call_analytics WHERE phone_id = NEW.id;
    DELETE FROM public.daily_call_stats WHERE phone_id = NEW.id;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.requeue_line() FROM PUBLIC;
CREATE TRIGGER phone_numbers_requeue AFTER UPDATE ON phone_numbers FOR EACH ROW
    WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone)
    EXECUTE FUNCTION app.requeue_line();
"""

DROP = """
DROP TRIGGER phone_numbers_requeue ON phone_numbers;
DROP TRIGGER calls_archive_queue_deleted ON calls_archive;
DROP TRIGGER calls_archive_queue_inserted ON calls_archive;
DROP TRIGGER calls_queue_updated ON calls;
DROP TRIGGER calls_queue_deleted ON calls;
DROP TRIGGER calls_queue_inserted ON calls;
DROP FUNCTION app.requeue_line();
DROP FUNCTION app.queue_updated_call();
DROP FUNCTION app.queue_deleted_calls();
DROP FUNCTION app.queue_inserted_calls();
"""

# No key and one index: a writer pays for nothing that a reader does not need. Rows come and go, so
# they are vacuumed by number, not by share. No foreign key either: deleting a line deletes its
# calls, whose triggers append here after the line is gone; the roll-up drops such rows.
QUEUE = f"""
CREATE TABLE rollup_queue (phone_id text COLLATE "C" NOT NULL, bucket timestamptz NOT NULL)
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
          autovacuum_vacuum_insert_scale_factor = 0);
CREATE INDEX idx_rollup_queue_phone_bucket ON rollup_queue (phone_id, bucket);
{protect_sql("rollup_queue", "phone_id", tenant_may="SELECT, INSERT")};
"""

# Calls that were there before the triggers.
FILL = """
INSERT INTO rollup_queue (phone_id, bucket)
SELECT phone_id, date_trunc('hour', created_at, 'UTC') FROM calls
UNION
SELECT phone_id, date_trunc('hour', created_at, 'UTC') FROM calls_archive;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_performance_summary")]

    operations = [
        migrations.RunSQL(
            QUEUE,
            "DROP TABLE rollup_queue",
            state_operations=[
                migrations.CreateModel(
                    name="QueuedBucket",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "phone_id",
                                "bucket",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "phone",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                default=tenancy.models.line_in_scope,
                                on_delete=models.DO_NOTHING,
                                related_name="queued_buckets",
                                to="tenants.phonenumber",
                                verbose_name="line",
                            ),
                        ),
                        ("bucket", models.DateTimeField(help_text="The hour's beginning, UTC.")),
                    ],
                    options={
                        "verbose_name": "queued hour",
                        "db_table": "rollup_queue",
                        "abstract": False,
                        "base_manager_name": "objects",
                        "default_manager_name": "objects",
                        "indexes": [
                            models.Index(
                                fields=["phone", "bucket"], name="idx_rollup_queue_phone_bucket"
                            )
                        ],
                        "constraints": [
                            tenancy.constraints.TenantRLS(
                                column="phone_id",
                                name="analytics_queuedbucket_rls",
                                tenant_may="SELECT, INSERT",
                            )
                        ],
                    },
                )
            ],
        ),
        migrations.RunSQL(TRIGGERS, DROP),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
