"""app.phone(): the line of the active scope, for every policy."""

from django.db import migrations

from database.operations import LoadFunction


class Migration(migrations.Migration):
    initial = True

    dependencies = [("database", "0001_schema_app")]

    operations = [
        LoadFunction("tenancy", "phone"),
    ]
