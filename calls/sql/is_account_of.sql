-- Called by app.may_wait_for() and app.keep_file_leg(), with the owner's rights.
--
-- Whether rows of the provider's account may be of calls of the line: of its own account, where it
-- has one, or else of any but other lines' own accounts. A row without an account may.
CREATE OR REPLACE FUNCTION app.is_account_of(line text, account text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT account IS NULL OR coalesce(
        (SELECT c.account_sid = account FROM public.telephony_credentials AS c
            WHERE c.phone_id = line),
        NOT EXISTS (SELECT FROM public.telephony_credentials AS c WHERE c.account_sid = account))
$$;
