"""Calls of low confidence with what the review queue asks of them: it counts in the index alone.

Under row level security the planner takes half of all calls for doubtful, and read all calls of 30
days instead of the former index, whose rows it would have had to look up.
"""

from decimal import Decimal

from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0065_top_archived_calls")]

    operations = [
        AddIndexOnline(
            model_name="call",
            index=models.Index(
                fields=["-created_at", "-id"],
                include=["phone", "status"],
                name="idx_calls_waiting",
                condition=models.Q(ai_confidence__lt=Decimal("0.5")),
            ),
        ),
    ]
