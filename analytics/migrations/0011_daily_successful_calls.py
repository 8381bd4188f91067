"""successful_calls beside answered_calls, so that a day answers what the daily query asks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0010_rollup_queue")]

    operations = [
        migrations.AddField(
            model_name="dailycallstats",
            name="successful_calls",
            field=models.IntegerField(db_default=0, default=0, help_text="Completed."),
        ),
    ]
