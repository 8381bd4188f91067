"""What the intake's own login may do: find a line, and put an event into the inbox. Nothing else.

The functions that store an event run with the owner's rights, past every policy, so what they call
names its line in each statement.
"""

from importlib import import_module

from django.db import migrations

before = import_module("calls.migrations.0042_apply_call_events")
received = import_module("calls.migrations.0070_receive_events_at_once")

DECLARE = "    provider_recording CONSTANT text"
FIND = "FROM public.calls WHERE call_sid = sid FOR UPDATE;"
assert DECLARE in before.MERGE
assert FIND in before.MERGE
MERGE = (
    before.MERGE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    .replace(DECLARE, f"    line CONSTANT text := app.phone();\n{DECLARE}")
    .replace(FIND, "FROM public.calls WHERE call_sid = sid AND phone_id = line FOR UPDATE;")
)

SIGNATURE = """app.receive_call_event(text[], text, text, text, text, text, bigint, jsonb,
    jsonb, text, text)"""
RECEIVE = f"""
ALTER FUNCTION {SIGNATURE} SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE ALL ON FUNCTION {SIGNATURE} FROM replytics_api, replytics_staff;
GRANT EXECUTE ON FUNCTION {SIGNATURE} TO replytics_intake;
GRANT EXECUTE ON FUNCTION app.telephony_lines(text[], text, text) TO replytics_intake;
GRANT SELECT ON django_migrations TO replytics_intake;
"""
RECEIVE_AS_BEFORE = f"""
REVOKE SELECT ON django_migrations FROM replytics_intake;
REVOKE ALL ON FUNCTION app.telephony_lines(text[], text, text) FROM replytics_intake;
REVOKE ALL ON FUNCTION {SIGNATURE} FROM replytics_intake;
GRANT EXECUTE ON FUNCTION {SIGNATURE} TO replytics_api, replytics_staff;
ALTER FUNCTION {SIGNATURE} SECURITY INVOKER RESET search_path;
"""

# Every other event: of the scope's line, or outside of a scope of no line. verdict NULL: to be
# applied to its call. An event that waits for a call is given to the line that has the call by
# now: the call may be made meanwhile, so it takes the turns of app.apply_call_event, then looks
# with a new snapshot.
KEEP = """
CREATE FUNCTION app.keep_call_event(sid text, kind text, sequence bigint, payload jsonb,
    reading jsonb, reason text, verdict text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    scope CONSTANT text := nullif(current_setting('app.phone_id', true), '');
    line text := scope;
BEGIN
    IF verdict = 'waiting' AND scope IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(sid, 0));
        SELECT l.phone_id INTO line FROM app.line_of_call(sid) AS l LIMIT 1;
        IF line IS NOT NULL THEN
            PERFORM set_config('app.phone_id', line, true);
            verdict := app.apply_call_event(sid, reading);
            PERFORM set_config('app.phone_id', '', true);
        END IF;
    ELSIF verdict IS NULL THEN
        verdict := app.apply_call_event(sid, reading);
    END IF;
    INSERT INTO public.call_events
        (phone_id, call_sid, kind, sequence, payload, reading, reason, verdict)
    VALUES (line, sid, kind, sequence, payload, reading, reason, verdict);
    RETURN verdict;
END
$$;
REVOKE ALL ON FUNCTION app.keep_call_event(text, text, bigint, jsonb, jsonb, text, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.keep_call_event(text, text, bigint, jsonb, jsonb, text, text)
    TO replytics_intake, replytics_web;
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0071_look_through_the_newest_first")]

    operations = [
        migrations.RunSQL(MERGE, received.as_before(before.MERGE)),
        migrations.RunSQL(RECEIVE, RECEIVE_AS_BEFORE),
        migrations.RunSQL(
            KEEP,
            "DROP FUNCTION app.keep_call_event(text, text, bigint, jsonb, jsonb, text, text)",
        ),
    ]
