"""One caller over all lines: support pastes a number."""

from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0008_index_calls_of_a_line")]

    operations = [
        AddIndexOnline(
            model_name="call",
            index=models.Index(
                fields=["caller_number", "-created_at"], name="idx_calls_caller_created"
            ),
        ),
    ]
