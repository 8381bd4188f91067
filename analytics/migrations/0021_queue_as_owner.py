"""The triggers append to the queue as its owner: a writer pays for no policy, and needs no right.

For a line's own login the policy is a subquery in each INSERT of the queue. Nor are new calls
made distinct on their way in any more: that costs a single one more than its row in the queue.
"""

from django.db import migrations

import tenancy.constraints

# What 0010 made but for the words in braces.
FUNCTION = """
DROP FUNCTION IF EXISTS app.{name}() CASCADE;
CREATE FUNCTION app.{name}() RETURNS trigger LANGUAGE plpgsql {security}
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    {body}
    RETURN NULL;
END
$$;
"""
QUEUE = """INSERT INTO public.rollup_queue (phone_id, bucket)
    SELECT {distinct}phone_id, date_trunc('hour', created_at, 'UTC') FROM {rows};"""
QUEUE_UPDATED = """INSERT INTO public.rollup_queue (phone_id, bucket)
    VALUES (NEW.phone_id, date_trunc('hour', NEW.created_at, 'UTC'));
    IF OLD.created_at <> NEW.created_at THEN
        INSERT INTO public.rollup_queue (phone_id, bucket)
        VALUES (OLD.phone_id, date_trunc('hour', OLD.created_at, 'UTC'));
    END IF;"""
BODIES = {
    "queue_inserted_calls": QUEUE.format(distinct="DISTINCT ", rows="inserted"),
    "queue_deleted_calls": QUEUE.format(distinct="DISTINCT ", rows="deleted"),
    "queue_updated_call": QUEUE_UPDATED,
}
NEW_CALLS = {"queue_new_calls": QUEUE.format(distinct="", rows="inserted")}

TRIGGERS = """
CREATE TRIGGER calls_queue_inserted AFTER INSERT ON calls REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION app.{inserted}();
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
"""


def functions(security: str, bodies: dict[str, str]) -> str:
    return "".join(
        FUNCTION.format(name=name, security=security, body=body) for name, body in bodies.items()
    )


AS_OWNER = [
    functions("SECURITY DEFINER", BODIES | NEW_CALLS),
    *(f"REVOKE ALL ON FUNCTION app.{name}() FROM PUBLIC;" for name in BODIES | NEW_CALLS),
    TRIGGERS.format(inserted="queue_new_calls"),
]
AS_WRITER = [
    "DROP FUNCTION app.queue_new_calls() CASCADE;",
    functions("SECURITY INVOKER", BODIES),
    TRIGGERS.format(inserted="queue_inserted_calls"),
]


def rls(tenant_may: str) -> tenancy.constraints.TenantRLS:
    return tenancy.constraints.TenantRLS(
        column="phone_id", name="analytics_queuedbucket_rls", tenant_may=tenant_may
    )


class Migration(migrations.Migration):
    dependencies = [("analytics", "0020_sealed_months")]

    operations = [
        migrations.RunSQL("\n".join(AS_OWNER), "\n".join(AS_WRITER)),
        migrations.RemoveConstraint("queuedbucket", "analytics_queuedbucket_rls"),
        migrations.AddConstraint("queuedbucket", rls("SELECT")),
    ]
