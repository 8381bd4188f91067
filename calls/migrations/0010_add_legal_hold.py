"""Calls that a court or a dispute may ask for; before the archive, which takes calls' columns over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0009_index_a_caller_over_all_lines")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="legal_hold",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Neither archived nor dropped while this is set.",
            ),
        ),
    ]
