-- Called by app.adopt_call_events() and app.give_waiting_events(), with the owner's rights.
--
-- Whether an event that waits for a call may be given to a line that has this call. The account of
-- a callback has signed it.
CREATE OR REPLACE FUNCTION app.may_wait_for(event public.call_events, line text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(event.phone_id = line, event.kind <> 'reconciled'
        OR app.is_account_of(line, event.payload->>'AccountSid'))
$$;
