"""A row of a file may be a leg, a Dial reports its leg, and what waits is given to imported calls."""

from django.db import migrations

from database.operations import LoadFunction

OLD_KEEP = """
DROP FUNCTION IF EXISTS app.keep_call_event(text, text, bigint, jsonb, jsonb, text, text)
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0023_claims_beside_imports")]

    operations = [
        LoadFunction("calls", "await_import"),
        LoadFunction("calls", "lock_calls"),
        LoadFunction("calls", "call_of_leg"),
        LoadFunction("calls", "call_leg"),
        LoadFunction("calls", "leg_progress"),
        LoadFunction("calls", "merged_call_leg"),
        LoadFunction("calls", "is_account_of"),
        LoadFunction("calls", "may_wait_for"),
        LoadFunction("calls", "adopt_call_events", again=True),
        LoadFunction("calls", "keep_call_recording", again=True),
        LoadFunction("calls", "keep_call_leg", again=True),
        LoadFunction("calls", "keep_call_parts"),
        LoadFunction("calls", "record_waiting_events"),
        LoadFunction("calls", "apply_call_event", again=True),
        # With the parameter that 0027 is about.
        migrations.RunSQL(OLD_KEEP, migrations.RunSQL.noop),
        LoadFunction("calls", "keep_call_event", again=True),
        LoadFunction("calls", "give_waiting_events"),
        LoadFunction("calls", "keep_file_leg"),
    ]
