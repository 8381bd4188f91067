-- Called by app.apply_call_event(), app.keep_call_event() and app.lock_calls(), before they look for
-- a call that an event may have to wait for.
--
-- Imports make many calls at once, without a lock of each. So an import that has committed its calls
-- waits in calls.intake.imports.waiting for the events that looked for them in vain before, by the
-- exclusive form of this lock. It holds no other lock then.
CREATE OR REPLACE FUNCTION app.await_import() RETURNS void
LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock_shared(hashtextextended('waiting events', 0))
$$;
