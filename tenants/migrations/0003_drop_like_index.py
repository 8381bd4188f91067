"""Django adds an index for LIKE to a text primary key; ids of lines are only ever compared whole."""

from django.db import migrations


def drop_like_index(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indrelid = 'phone_numbers'::regclass AND relname ~ '_like$'"
        )
        for (name,) in cursor.fetchall():
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_initial")]

    operations = [migrations.RunPython(drop_like_index, migrations.RunPython.noop)]
