"""A job that has begun gives up its queueing lock.

Procrastinate puts a job that failed, or whose worker was killed, back among those that wait. If
the next run of the same task waits there already with the same queueing lock, that is refused and
the job stays "doing", holding the lock that keeps all further runs of the task from beginning.
"""

from django.db import migrations

TRIGGER = """
CREATE FUNCTION app.release_queueing_lock() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.queueing_lock = NULL;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION app.release_queueing_lock() FROM PUBLIC;
CREATE TRIGGER release_queueing_lock BEFORE UPDATE OF status ON procrastinate_jobs
FOR EACH ROW WHEN (NEW.status = 'doing' AND NEW.queueing_lock IS NOT NULL)
EXECUTE FUNCTION app.release_queueing_lock()
"""
DROP = """
DROP TRIGGER release_queueing_lock ON procrastinate_jobs;
DROP FUNCTION app.release_queueing_lock()
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0022_job_failures")]

    operations = [migrations.RunSQL(TRIGGER, DROP)]
