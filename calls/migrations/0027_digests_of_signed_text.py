"""A row of the inbox is one signed text, however its names and values are divided.

Programs from before this migration go on: they give no digest, so a repeat of theirs is a row.
"""

from django.db import migrations, models

from database.operations import LoadFunction

OLD_KEEP = """
DROP FUNCTION IF EXISTS app.keep_call_event(text, text, bigint, jsonb, jsonb, text, text)
"""
OLD_RECEIVE = """
DROP FUNCTION IF EXISTS app.receive_call_event(text[], text, text, text, text, text, bigint, jsonb, jsonb,
    text, text, timestamptz)
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0026_find_legs_by_sid")]

    operations = [
        migrations.AlterField(
            model_name="callevent",
            name="digest",
            field=models.TextField(
                null=True, help_text="Of the text that was signed; the same again adds no row."
            ),
        ),
        migrations.RunSQL(OLD_KEEP, migrations.RunSQL.noop),
        LoadFunction("calls", "keep_call_event", again=True),
        migrations.RunSQL(OLD_RECEIVE, migrations.RunSQL.noop),
        LoadFunction("calls", "receive_call_event", again=True),
    ]
