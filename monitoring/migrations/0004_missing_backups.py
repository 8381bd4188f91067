"""Since when pgBackRest has not listed a backup that it had listed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0003_contents_of_alerts")]

    operations = [
        migrations.AddField(
            model_name="backup",
            name="missing_since",
            field=models.DateTimeField(
                help_text="When pgBackRest, which had listed it, was found to do so no more.",
                null=True,
            ),
        ),
    ]
