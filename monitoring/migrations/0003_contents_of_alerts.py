from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0002_evidence_of_backups"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="threshold",
            field=models.TextField(db_default="", default=""),
        ),
        migrations.AddField(
            model_name="alert",
            name="value",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="receiver",
            field=models.TextField(
                db_default="", default="", help_text="A hash of the addresses that it is for."
            ),
        ),
        migrations.AlterField(
            model_name="alert",
            name="text",
            field=models.TextField(help_text="The latest finding."),
        ),
    ]
