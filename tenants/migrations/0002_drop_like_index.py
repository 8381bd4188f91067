"""Django adds an index for LIKE to a text primary key; ids of lines are only ever compared whole."""

from django.db import migrations

DROP = "DROP INDEX phone_numbers_id_935a3945_like"
CREATE = "CREATE INDEX phone_numbers_id_935a3945_like ON phone_numbers (id text_pattern_ops)"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.RunSQL(DROP, CREATE),
    ]
