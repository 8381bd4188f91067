import datetime

import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="backup",
            name="evidence",
            field=models.TextField(
                db_default="", default="", help_text="How it was seen to exist; empty: it was not."
            ),
        ),
        migrations.AddField(
            model_name="backup",
            name="host",
            field=models.TextField(
                db_default="", default="", help_text="The machine of that path."
            ),
        ),
        migrations.AddField(
            model_name="backup",
            name="path",
            field=models.TextField(db_default="", default="", help_text="Where it was seen."),
        ),
        migrations.AlterField(
            model_name="backup",
            name="kind",
            field=models.TextField(
                choices=[("full", "Full"), ("diff", "Differential"), ("incr", "Incremental")]
            ),
        ),
        migrations.AddConstraint(
            model_name="backup",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["full", "diff", "incr"])),
                name="backups_kind_check",
                violation_error_message="kind must be one of: full, diff, incr.",
            ),
        ),
        migrations.AddConstraint(
            model_name="backup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "finished_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("recorded_at"),
                            "+",
                            models.Value(datetime.timedelta(seconds=300)),
                        ),
                    )
                ),
                name="backups_finished_at_check",
                violation_error_message="A backup cannot finish in the future.",
            ),
        ),
    ]
