"""The latest dials of a transfer target are found by index."""

from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("calls", "0034_find_rare_outcomes"),
        ("tenants", "0006_own_number_in_either_form"),  # app.one_number
    ]

    operations = [
        AddIndexOnline(
            model_name="callleg",
            index=models.Index(
                models.F("phone"),
                models.Func("to", function="app.one_number"),
                models.OrderBy(models.F("started_at"), descending=True),
                name="idx_call_legs_target",
            ),
        ),
    ]
