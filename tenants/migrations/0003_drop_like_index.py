"""Django adds an index for LIKE to a text primary key; ids of lines are only ever compared whole."""

from django.db import migrations


def drop_like_index(apps, schema_editor):
    model = apps.get_model("tenants", "PhoneNumber")
    name = schema_editor._create_index_name(model._meta.db_table, ["id"], suffix="_like")
    schema_editor.execute(schema_editor._delete_index_sql(model, name))


def create_like_index(apps, schema_editor):
    model = apps.get_model("tenants", "PhoneNumber")
    schema_editor.execute(schema_editor._create_like_index_sql(model, model._meta.get_field("id")))


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_initial")]

    operations = [migrations.RunPython(drop_like_index, create_like_index)]
