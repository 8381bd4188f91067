"""What the monitor remembers; staff processes alone read and write it."""

import django.core.serializers.json
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

TABLES = (
    "server_snapshots, statements, statement_activity, table_sizes, database_reports, backups,"
    " alerts, alert_notices"
)
GRANT = f"""
GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLES} TO replytics_staff;
-- What people end on the admin's page stays on record.
GRANT SELECT, INSERT, UPDATE ON ended_sessions TO replytics_staff;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("database", "0001_schema_app")]

    operations = [
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("taken_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(help_text="When the server started.")),
                ("database_bytes", models.BigIntegerField()),
                ("counters", models.JSONField()),
            ],
            options={
                "db_table": "server_snapshots",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["taken_at"], name="idx_server_snapshots_taken")],
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("calls", models.BigIntegerField()),
                (
                    "total_ms",
                    models.FloatField(help_text="Milliseconds.", verbose_name="total time"),
                ),
                ("rows", models.BigIntegerField()),
                (
                    "blocks_hit",
                    models.BigIntegerField(help_text="8 kB blocks found in the cache."),
                ),
                ("blocks_read", models.BigIntegerField(help_text="8 kB blocks read from disk.")),
                (
                    "temporary_blocks",
                    models.BigIntegerField(help_text="8 kB blocks written to temporary files."),
                ),
                ("wal_bytes", models.BigIntegerField()),
                (
                    "queryid",
                    models.BigIntegerField(
                        help_text="PostgreSQL's hash of the statement's structure."
                    ),
                ),
                ("role", models.TextField()),
                (
                    "toplevel",
                    models.BooleanField(help_text="Run by the client, not by a function."),
                ),
                ("text", models.TextField(db_default="", default="")),
                (
                    "first_seen_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
            ],
            options={
                "db_table": "statements",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("queryid", "role", "toplevel"),
                        name="statements_queryid_role_toplevel_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementActivity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("calls", models.BigIntegerField()),
                (
                    "total_ms",
                    models.FloatField(help_text="Milliseconds.", verbose_name="total time"),
                ),
                ("rows", models.BigIntegerField()),
                (
                    "blocks_hit",
                    models.BigIntegerField(help_text="8 kB blocks found in the cache."),
                ),
                ("blocks_read", models.BigIntegerField(help_text="8 kB blocks read from disk.")),
                (
                    "temporary_blocks",
                    models.BigIntegerField(help_text="8 kB blocks written to temporary files."),
                ),
                ("wal_bytes", models.BigIntegerField()),
                ("began_at", models.DateTimeField(help_text="The time of the previous snapshot.")),
                ("taken_at", models.DateTimeField()),
                (
                    "statement",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activity",
                        to="monitoring.statement",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "statement activity",
                "db_table": "statement_activity",
                "indexes": [
                    models.Index(fields=["taken_at"], name="idx_statement_activity_taken"),
                    models.Index(
                        fields=["statement", "taken_at"], name="idx_statement_activity_of"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TableSize",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("taken_at", models.DateTimeField()),
                ("relation", models.TextField()),
                (
                    "bytes",
                    models.BigIntegerField(help_text="Including indexes and TOAST."),
                ),
                ("index_bytes", models.BigIntegerField()),
                ("rows", models.BigIntegerField(help_text="The planner's estimate.")),
                ("dead_rows", models.BigIntegerField()),
            ],
            options={
                "db_table": "table_sizes",
                "indexes": [models.Index(fields=["taken_at"], name="idx_table_sizes_taken")],
            },
        ),
        migrations.CreateModel(
            name="DatabaseReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("taken_at", models.DateTimeField()),
                ("milliseconds", models.FloatField(help_text="How long the report took.")),
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
                (
                    "findings",
                    models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder),
                ),
            ],
            options={
                "db_table": "database_reports",
                "ordering": ["-id"],
                "get_latest_by": "id",
            },
        ),
        migrations.CreateModel(
            name="Backup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "stanza",
                    models.TextField(
                        db_default="", default="", help_text="pgBackRest's name for a cluster."
                    ),
                ),
                ("label", models.TextField()),
                ("kind", models.TextField(help_text="full, diff, incr …")),
                ("finished_at", models.DateTimeField()),
                ("bytes", models.BigIntegerField(null=True)),
                (
                    "error",
                    models.TextField(
                        db_default="", default="", help_text="Empty if it succeeded."
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
            ],
            options={
                "db_table": "backups",
                "ordering": ["-finished_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("stanza", "label"), name="backups_stanza_label_key"
                    )
                ],
            },
        ),
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
                            ("cancelled", "statement cancelled"),
                            ("terminated", "terminated"),
                        ]
                    ),
                ),
                ("reason", models.TextField()),
                ("pid", models.IntegerField()),
                ("login", models.TextField()),
                ("work", models.TextField(help_text="The request, job or command that it ran.")),
                ("state", models.TextField()),
                (
                    "statement",
                    models.TextField(help_text="Its last statement, with values removed."),
                ),
                ("succeeded", models.BooleanField(help_text="Empty if unknown.", null=True)),
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
                ("text", models.TextField(help_text="The latest finding; for staff only.")),
                ("fix", models.TextField()),
                ("opened_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(help_text="When it was last found.")),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "notified_level",
                    models.TextField(
                        db_default="",
                        default="",
                        help_text="The worst level announced; empty if none.",
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
                    models.JSONField(help_text="Alerts that opened, continue or were resolved."),
                ),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "error",
                    models.TextField(
                        db_default="", default="", help_text="The error of the last attempt."
                    ),
                ),
            ],
            options={
                "db_table": "alert_notices",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
    ]
