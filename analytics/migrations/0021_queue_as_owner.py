"""The triggers append to the queue as its owner: a writer pays for no policy, and needs no right.

For a line's own login the policy is a subquery in each INSERT of the queue. Nor are new calls
made distinct on their way in any more: that costs a single one more than its row in the queue.
"""

from django.db import migrations

import tenants.scoping.constraints

FUNCTIONS = """
CREATE FUNCTION app.queue_new_calls() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.rollup_queue (phone_id, bucket)
    SELECT phone_id, date_trunc('hour', created_at, 'UTC') FROM inserted;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER calls_queue_inserted AFTER INSERT ON calls
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION app.queue_new_calls();
ALTER FUNCTION app.queue_inserted_calls() SECURITY DEFINER;
ALTER FUNCTION app.queue_deleted_calls() SECURITY DEFINER;
ALTER FUNCTION app.queue_updated_call() SECURITY DEFINER;
REVOKE ALL ON FUNCTION app.queue_new_calls(), app.queue_inserted_calls(),
    app.queue_deleted_calls(), app.queue_updated_call() FROM PUBLIC;
"""

BACK = """
GRANT EXECUTE ON FUNCTION app.queue_inserted_calls(), app.queue_deleted_calls(),
    app.queue_updated_call() TO PUBLIC;
ALTER FUNCTION app.queue_inserted_calls() SECURITY INVOKER;
ALTER FUNCTION app.queue_deleted_calls() SECURITY INVOKER;
ALTER FUNCTION app.queue_updated_call() SECURITY INVOKER;
CREATE OR REPLACE TRIGGER calls_queue_inserted AFTER INSERT ON calls
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION app.queue_inserted_calls();
DROP FUNCTION app.queue_new_calls();
"""


def rls(tenant_may: str) -> tenants.scoping.constraints.TenantRLS:
    return tenants.scoping.constraints.TenantRLS(
        column="phone_id", name="analytics_queuedbucket_rls", tenant_may=tenant_may
    )


class Migration(migrations.Migration):
    dependencies = [("analytics", "0020_sealed_months")]

    operations = [
        migrations.RunSQL(FUNCTIONS, BACK),
        migrations.RemoveConstraint("queuedbucket", "analytics_queuedbucket_rls"),
        migrations.AddConstraint("queuedbucket", rls("SELECT")),
    ]
