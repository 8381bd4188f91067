"""What each run of the archiver did."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenancy.constraints


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0016_top_calls"),
        ("tenants", "0003_drop_like_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="ArchiveRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("archive", "Archive"),
                            ("restore", "Restore"),
                            ("drop", "Drop"),
                            ("load", "Load"),
                        ]
                    ),
                ),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                            ("interrupted", "Interrupted"),
                        ],
                        default="running",
                    ),
                ),
                (
                    "cut_off",
                    models.DateTimeField(help_text="Only calls that began before it.", null=True),
                ),
                (
                    "selection",
                    models.TextField(default="", help_text="Which calls or which file."),
                ),
                ("calls", models.BigIntegerField(default=0)),
                ("metadata_rows", models.BigIntegerField(default=0)),
                (
                    "left_live",
                    models.BigIntegerField(default=0, help_text="Still ringing or answered."),
                ),
                ("left_held", models.BigIntegerField(default=0, help_text="Under legal hold.")),
                (
                    "remaining",
                    models.BigIntegerField(
                        default=0,
                        help_text="Locked by others, beyond the limit or after a stop: next time.",
                    ),
                ),
                ("bytes", models.BigIntegerField(default=0)),
                (
                    "checksum",
                    models.BigIntegerField(
                        default=0,
                        help_text="XOR of a 64-bit hash of each call: equal sets, equal checksums.",
                    ),
                ),
                ("sha256", models.TextField(default="", help_text="Of the file.")),
                ("batches", models.IntegerField(default=0)),
                ("started_by", models.TextField(help_text="login@host, process")),
                (
                    "started_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
                (
                    "heartbeat_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ()),
                        help_text="The last sign of life.",
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("error", models.TextField(default="")),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="archive_runs",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "db_table": "archive_runs",
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["phone"], name="idx_archive_runs_phone_id")],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_archiverun_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_archiverun_line"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["archive", "restore", "drop", "load"])),
                        name="archive_runs_kind_check",
                        violation_error_message="kind must be one of: archive, restore, drop, load.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["running", "done", "stopped", "failed", "interrupted"])
                        ),
                        name="archive_runs_state_check",
                        violation_error_message="state must be one of: running, done, stopped, failed, interrupted.",
                    ),
                ],
            },
        ),
    ]
