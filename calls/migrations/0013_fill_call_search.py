"""The words of the calls that were there before, batch by batch.

Each batch is a transaction of its own; run again after a failure it fills what is left. A call
that changes meanwhile waits for its trigger, which has the last word: the batch locks its calls.
"""

from django.db import migrations

BATCH = 2_000
FILL = """
WITH batch AS (
    SELECT id, phone_id, transcript, ai_summary FROM calls
    WHERE id > %s ORDER BY id LIMIT %s FOR SHARE
), filled AS (
    INSERT INTO call_search (call_id, phone_id, document)
    SELECT id, phone_id, app.call_document(transcript, ai_summary) FROM batch
    WHERE transcript IS NOT NULL OR ai_summary IS NOT NULL
    ON CONFLICT (call_id) DO NOTHING
)
SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""


def fill(apps, schema_editor):
    after = "00000000-0000-0000-0000-000000000000"
    while after:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(FILL, [after, BATCH])
            row = cursor.fetchone()
        after = row and row[0]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0012_call_search")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
