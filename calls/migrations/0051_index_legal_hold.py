"""Calls under legal hold, latest first: the working list's filter."""

from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0050_index_low_confidence")]

    operations = [
        AddIndexOnline(
            model_name="call",
            index=models.Index(
                fields=["-created_at", "-id"],
                name="idx_calls_legal_hold",
                condition=models.Q(legal_hold=True),
            ),
        ),
    ]
