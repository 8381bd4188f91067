-- Called by the trigger release_queueing_lock on procrastinate_jobs: a job that has begun gives up
-- its queueing lock.
--
-- Procrastinate puts a job that failed, or whose worker was killed, back among those that wait. If
-- the next run of the same task waits there already with the same queueing lock, that is refused
-- and the job stays "doing", holding the lock that keeps all further runs of the task from
-- beginning.
CREATE OR REPLACE FUNCTION app.release_queueing_lock() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.queueing_lock = NULL;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION app.release_queueing_lock() FROM PUBLIC;
