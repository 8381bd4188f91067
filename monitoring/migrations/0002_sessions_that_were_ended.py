"""What people end on the admin's page is on record: written and read by staff alone."""

import django.db.models.expressions
from django.db import migrations, models

GRANT = "GRANT SELECT, INSERT, UPDATE ON ended_sessions TO replytics_staff"


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0001_what_the_monitor_remembers"),
    ]

    operations = [
        migrations.CreateModel(
            name="EndedSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "ended_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
                ("by", models.TextField()),
                (
                    "how",
                    models.TextField(
                        choices=[
                            ("cancelled", "its statement cancelled"),
                            ("terminated", "terminated"),
                        ]
                    ),
                ),
                ("reason", models.TextField()),
                ("pid", models.IntegerField()),
                ("login", models.TextField()),
                ("work", models.TextField(help_text="The request, job or command that it ran.")),
                ("state", models.TextField()),
                ("statement", models.TextField(help_text="Its last one, without the values.")),
                ("succeeded", models.BooleanField(help_text="Empty: nobody knows.", null=True)),
            ],
            options={
                "db_table": "ended_sessions",
                "ordering": ["-id"],
                "permissions": [
                    ("end_session", "Can cancel and terminate sessions of the database")
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
    ]
