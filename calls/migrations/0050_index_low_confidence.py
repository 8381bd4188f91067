"""Calls of low confidence, latest first: the home page and the review queue."""

from decimal import Decimal

from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0043_index_latest_archived_calls")]

    operations = [
        AddIndexOnline(
            model_name="call",
            index=models.Index(
                fields=["-created_at", "-id"],
                name="idx_calls_low_confidence",
                condition=models.Q(ai_confidence__lt=Decimal("0.5")),
            ),
        ),
    ]
