"""Checks the rows that were there before; reads the table, blocks no writer."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("calls", "0005_check_duration_and_confidence")]

    operations = [
        ValidateConstraint(model_name="call", name="check_duration_positive"),
        ValidateConstraint(model_name="call", name="calls_ai_confidence_range"),
    ]
