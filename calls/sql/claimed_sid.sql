-- Called by app.apply_call_event(), app.claim_call(), app.keep_call_leg(), app.absorb_call(),
-- calls.claims and what keeps, moves and forgets decisions, which have the SID without it.
--
-- What a call is stored under that a line named through the API, until the provider confirms its
-- SID: no line can take a SID away from another's call, or learn that it is taken. No SID of a
-- provider has a space.
CREATE OR REPLACE FUNCTION app.claimed_sid(sid text, line text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sid || ' claimed by ' || line
$$;
