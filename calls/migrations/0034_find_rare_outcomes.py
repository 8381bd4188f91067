"""Indexes built beside the traffic: the calls of an outcome that is rare on a line."""

from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0033_outcomes")]

    operations = [
        AddIndexOnline(
            model_name="call",
            index=models.Index(
                condition=models.Q(
                    ("status", "failed"), ("provider_status", "timed-out"), _connector="OR"
                ),
                fields=["phone", "provider_status", "-created_at", "-id"],
                name="idx_calls_not_answered",
            ),
        ),
        AddIndexOnline(
            model_name="callmetadata",
            index=models.Index(
                condition=models.Q(("metadata__contains", {"message_taken": True})),
                fields=["phone"],
                name="idx_call_metadata_messages",
            ),
        ),
        AddIndexOnline(
            model_name="callmetadata",
            index=models.Index(
                condition=models.Q(("metadata__contains", {"ended_by": "us"})),
                fields=["phone"],
                name="idx_call_metadata_ended_by_us",
            ),
        ),
    ]
