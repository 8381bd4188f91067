"""A callback in one statement, and its look-ups with plans that a session keeps.

An SQL function that may not be inlined is planned at each call, the archive's partitions included;
plpgsql keeps a plan for each of its statements. Each way to find a line is a statement of its own.
"""

from importlib import import_module

from django.db import migrations

before = import_module("calls.migrations.0042_apply_call_events")

# The archive's partitions are looked into for a SID that is in the archive alone.
LINE_OF_CALL = """
CREATE OR REPLACE FUNCTION app.line_of_call(sid text) RETURNS TABLE (phone_id text, archived boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT c.phone_id, false FROM public.calls AS c WHERE c.call_sid = sid;
    IF NOT FOUND AND EXISTS (SELECT FROM app.archived_call_sids AS a WHERE a.call_sid = sid) THEN
        RETURN QUERY SELECT a.phone_id, true FROM public.calls_archive AS a WHERE a.call_sid = sid;
    END IF;
END
$$;
"""

# The line that an event belongs to, with its tokens (encrypted), or no row: by the first of the
# numbers that is a line's; for an event without a number by its call, or by its account where one
# line alone has that.
LINES = """
CREATE OR REPLACE FUNCTION app.telephony_lines(numbers text[], sid text, account text)
RETURNS TABLE (found_by text, phone_id text, number text, account_sid text,
    current_token text, next_token text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    candidate text;
BEGIN
    -- One by one: an array is planned anew for its length.
    FOREACH candidate IN ARRAY numbers LOOP
        RETURN QUERY
        SELECT 'number', p.id, p.number, c.account_sid, c.current_token, c.next_token
        FROM public.phone_numbers AS p
        LEFT JOIN public.telephony_credentials AS c ON c.phone_id = p.id
        WHERE p.number = candidate;
        IF FOUND THEN
            RETURN;
        END IF;
    END LOOP;
    IF cardinality(numbers) > 0 THEN
        RETURN;
    END IF;
    IF sid IS NOT NULL THEN
        RETURN QUERY
        SELECT 'call', p.id, p.number, c.account_sid, c.current_token, c.next_token
        FROM app.line_of_call(sid) AS l JOIN public.phone_numbers AS p ON p.id = l.phone_id
        LEFT JOIN public.telephony_credentials AS c ON c.phone_id = p.id LIMIT 1;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY
    SELECT 'account', p.id, p.number, c.account_sid, c.current_token, c.next_token
    FROM public.telephony_credentials AS c JOIN public.phone_numbers AS p ON p.id = c.phone_id
    WHERE c.account_sid = account AND NOT EXISTS (
        SELECT FROM public.telephony_credentials AS other
        WHERE other.account_sid = account AND other.phone_id <> c.phone_id);
END
$$;
"""

ADOPT = """
CREATE OR REPLACE FUNCTION app.adopt_call_events(sid text) RETURNS SETOF jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    UPDATE public.call_events AS e SET phone_id = app.phone(), verdict = 'applied', reason = NULL
    WHERE e.call_sid = sid AND e.verdict = 'waiting'
        AND (e.phone_id IS NULL OR e.phone_id = app.phone())
    RETURNING e.reading;
END
$$;
"""

# An event whose line was found by a number: kept and applied, if the line is still the scope's and
# its credentials are still those that the signature was checked with. Else NULL, and nothing done.
RECEIVE = """
CREATE FUNCTION app.receive_call_event(numbers text[], account text, current_token text,
    next_token text, sid text, kind text, sequence bigint, payload jsonb, reading jsonb,
    reason text, verdict text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    line CONSTANT text := app.phone();
    found record;
BEGIN
    SELECT * INTO found FROM app.telephony_lines(numbers, NULL, NULL);
    IF (found.phone_id, found.account_sid, found.current_token, found.next_token)
        IS DISTINCT FROM (line, account, current_token, next_token)
    THEN
        RETURN NULL;
    END IF;
    verdict := coalesce(verdict, app.apply_call_event(sid, reading));
    INSERT INTO public.call_events
        (phone_id, call_sid, kind, sequence, payload, reading, reason, verdict)
    VALUES (line, sid, kind, sequence, payload, reading, reason, verdict);
    RETURN verdict;
END
$$;
REVOKE ALL ON FUNCTION app.receive_call_event(text[], text, text, text, text, text, bigint, jsonb,
    jsonb, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.receive_call_event(text[], text, text, text, text, text, bigint,
    jsonb, jsonb, text, text) TO replytics_api, replytics_web, replytics_staff;
"""
DROP_RECEIVE = """
DROP FUNCTION app.receive_call_event(text[], text, text, text, text, text, bigint, jsonb, jsonb,
    text, text)
"""


def as_before(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("calls", "0052_call_reviews")]

    operations = [
        migrations.RunSQL(LINE_OF_CALL, as_before(before.LINE_OF_CALL)),
        migrations.RunSQL(LINES, as_before(before.LINES)),
        migrations.RunSQL(ADOPT, as_before(before.ADOPT)),
        migrations.RunSQL(RECEIVE, DROP_RECEIVE),
    ]
