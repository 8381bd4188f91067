"""Latest calls of one line, page by page."""

from django.db import migrations, models

from database.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0007_validate_duration_and_confidence")]

    operations = [
        AddIndexOnline(
            model_name="call",
            index=models.Index(
                fields=["phone", "-created_at", "-id"], name="idx_calls_phone_created"
            ),
        ),
    ]
