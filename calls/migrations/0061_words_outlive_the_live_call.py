"""call_search refers to no table any more: a call of it is live or archived."""

from django.db import migrations

ONLY_LIVE = """
DELETE FROM call_search s WHERE NOT EXISTS (SELECT FROM calls c WHERE c.id = s.call_id)
"""


def forget_archived(apps, schema_editor):
    schema_editor.execute(ONLY_LIVE)


class Migration(migrations.Migration):
    safe_because = {
        "ban-drop-constraint": "the triggers of 0060 take the words away with their call",
        "python-in-transaction": "it does nothing forwards",
    }

    dependencies = [("calls", "0060_forget_words_with_their_call")]

    operations = [
        migrations.RemoveConstraint("callsearch", "call_search_call"),
        # Backwards the foreign key would refuse the others.
        migrations.RunPython(migrations.RunPython.noop, forget_archived),
    ]
