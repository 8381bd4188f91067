"""Whether a verification checked a sample of the lines instead of all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0007_summary_of_archived_calls")]

    operations = [
        migrations.AddField(
            model_name="statsverification",
            name="is_sample",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Some lines, chosen at random, instead of all.",
            ),
        ),
    ]
