"""Indexes built beside the traffic: the latest calls of one line, and the review queue.

Under row level security the planner takes half of all calls for doubtful; the queue counts in its
index alone (INCLUDE), whose rows it would else have to look up.
"""

from decimal import Decimal

from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0006_validate_duration_and_confidence")]

    operations = [
        AddIndexOnline(
            model_name="call",
            index=models.Index(
                fields=["phone", "-created_at", "-id"], name="idx_calls_phone_created"
            ),
        ),
        AddIndexOnline(
            model_name="call",
            index=models.Index(
                condition=models.Q(("ai_confidence__lt", Decimal("0.5"))),
                fields=["-created_at", "-id"],
                include=("phone", "status"),
                name="idx_calls_waiting",
            ),
        ),
    ]
