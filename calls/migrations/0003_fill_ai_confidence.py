"""ai_confidence in three safe steps, 2: the rows that were there before, batch by batch.

Each batch is a transaction of its own; run again after a failure it fills what is left.
"""

from django.db import migrations

BATCH = 5_000
FILL = """
WITH batch AS (
    SELECT id FROM calls WHERE id > %s ORDER BY id LIMIT %s
), filled AS (
    UPDATE calls SET ai_confidence = 0.8
    FROM batch WHERE calls.id = batch.id AND calls.ai_confidence IS NULL
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

    dependencies = [("calls", "0002_add_ai_confidence")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
