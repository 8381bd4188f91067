"""Alerts and what is told of them: staff processes alone read and write them."""

from django.db import migrations, models

GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON alerts, alert_notices TO replytics_staff"


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0002_sessions_that_were_ended"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "channel",
                    models.TextField(choices=[("email", "e-mail"), ("webhook", "webhook")]),
                ),
                (
                    "news",
                    models.JSONField(help_text="Alerts that opened, go on, or were resolved."),
                ),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "error",
                    models.TextField(db_default="", default="", help_text="Of the last attempt."),
                ),
            ],
            options={
                "db_table": "alert_notices",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("metric", models.TextField()),
                ("subject", models.TextField()),
                ("label", models.TextField()),
                (
                    "level",
                    models.TextField(
                        choices=[
                            ("ok", "ok"),
                            ("skipped", "skipped"),
                            ("unknown", "unknown"),
                            ("warning", "warning"),
                            ("critical", "critical"),
                        ]
                    ),
                ),
                ("text", models.TextField(help_text="What was found last; for staff alone.")),
                ("fix", models.TextField()),
                ("opened_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(help_text="Found last.")),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "notified_level",
                    models.TextField(
                        db_default="",
                        default="",
                        help_text="The worst that was told; empty: nobody was told.",
                    ),
                ),
                ("notified_at", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("snoozed_until", models.DateTimeField(null=True)),
                ("handled_by", models.TextField(db_default="", default="")),
                ("note", models.TextField(db_default="", default="")),
            ],
            options={
                "db_table": "alerts",
                "ordering": ["-id"],
                "default_permissions": ("view", "change"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at", None)),
                        fields=("metric", "subject"),
                        name="alerts_metric_subject_open_key",
                    )
                ],
            },
        ),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
    ]
