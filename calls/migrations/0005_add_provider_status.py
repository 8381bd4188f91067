"""The provider's own word for a status, beside our four."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0004_require_ai_confidence")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="provider_status",
            field=models.TextField(
                blank=True,
                help_text="The provider's own word, such as busy or no-answer.",
                null=True,
            ),
        ),
    ]
