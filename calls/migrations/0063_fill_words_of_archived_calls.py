"""The words of the calls that were archived before, batch by batch.

Each batch is a transaction of its own; run again after a failure it fills what is left.
"""

from django.db import migrations

BATCH = 2_000
FILL = """
WITH batch AS (
    SELECT id, phone_id, created_at, transcript, ai_summary FROM calls_archive
    WHERE (created_at, id) > (%s::timestamptz, %s::uuid)
    ORDER BY created_at, id LIMIT %s FOR SHARE
), filled AS (
    INSERT INTO call_search (call_id, phone_id, document)
    SELECT id, phone_id, app.call_document(transcript, ai_summary) FROM batch
    WHERE transcript IS NOT NULL OR ai_summary IS NOT NULL
    ON CONFLICT (call_id) DO NOTHING
)
SELECT created_at::text, id FROM batch ORDER BY created_at DESC, id DESC LIMIT 1
"""


def fill(apps, schema_editor):
    after = ("-infinity", "00000000-0000-0000-0000-000000000000")
    while after:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(FILL, [*after, BATCH])
            after = cursor.fetchone()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0062_words_follow_the_archive")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
