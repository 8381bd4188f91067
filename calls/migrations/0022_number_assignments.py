"""An event belongs to the line that held its number as the call began.

Programs from before this migration go on: they give no time, which means now.
"""

from django.db import migrations

from database.operations import LoadFunction

OLD_LINES = "DROP FUNCTION IF EXISTS app.telephony_lines(text[], text, text)"
OLD_RECEIVE = """
DROP FUNCTION IF EXISTS app.receive_call_event(text[], text, text, text, text, text, bigint, jsonb, jsonb,
    text, text)
"""
OLD_COUNT = """
DROP FUNCTION IF EXISTS app.count_refused_callback(text[], text, text, text, text)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0021_partitions_of_nobody"),
        ("tenants", "0003_number_assignments"),
    ]

    operations = [
        migrations.RunSQL(OLD_LINES, migrations.RunSQL.noop),
        LoadFunction("calls", "telephony_lines", again=True),
        migrations.RunSQL(OLD_RECEIVE, migrations.RunSQL.noop),
        LoadFunction("calls", "receive_call_event", again=True),
        migrations.RunSQL(OLD_COUNT, migrations.RunSQL.noop),
        LoadFunction("calls", "count_refused_callback", again=True),
    ]
