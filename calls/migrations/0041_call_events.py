"""The inbox of events from the telephony provider."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenancy.constraints
import tenancy.models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0040_events_overrule_time_outs"),
        ("tenants", "0012_find_api_key"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "call_sid",
                    models.TextField(db_collation="C", null=True, verbose_name="call SID"),
                ),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("voice", "Voice"),
                            ("recording", "Recording"),
                            ("reconciled", "Provider's call list"),
                        ]
                    ),
                ),
                (
                    "sequence",
                    models.BigIntegerField(
                        help_text="Counts the events of one subscription, not of a call.",
                        null=True,
                    ),
                ),
                ("payload", models.JSONField(help_text="The parameters as they came.")),
                ("reading", models.JSONField(help_text="What was understood of them.", null=True)),
                (
                    "received_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
                (
                    "verdict",
                    models.TextField(
                        choices=[
                            ("applied", "Applied"),
                            ("duplicate", "Duplicate: the call said so already"),
                            ("late", "Late: the call was further on"),
                            ("archived", "The call is in the archive"),
                            ("waiting", "Waiting for its call"),
                            ("unknown_status", "Unknown status"),
                            ("unknown_line", "No line of ours"),
                            ("conflict", "The SID belongs to another line's call"),
                            ("malformed", "Malformed"),
                        ]
                    ),
                ),
                ("reason", models.TextField(null=True)),
                ("replayed_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "event",
                "db_table": "call_events",
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="callevent",
            name="phone",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                default=tenancy.models.line_in_scope,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="call_events",
                to="tenants.phonenumber",
                verbose_name="line",
            ),
        ),
        migrations.AddIndex(
            model_name="callevent",
            index=models.Index(fields=["phone", "-id"], name="idx_call_events_phone"),
        ),
        migrations.AddIndex(
            model_name="callevent",
            index=models.Index(fields=["call_sid", "id"], name="idx_call_events_call_sid"),
        ),
        migrations.AddIndex(
            model_name="callevent",
            index=models.Index(
                condition=models.Q(
                    (
                        "verdict__in",
                        ["waiting", "unknown_status", "unknown_line", "conflict", "malformed"],
                    )
                ),
                fields=["verdict", "-id"],
                name="idx_call_events_problems",
            ),
        ),
        migrations.AddIndex(
            model_name="callevent",
            index=models.Index(fields=["received_at"], name="idx_call_events_received"),
        ),
        migrations.AddConstraint(
            model_name="callevent",
            constraint=tenancy.constraints.TenantRLS(
                column="phone_id",
                name="calls_callevent_rls",
                tenant_may="SELECT, INSERT, UPDATE, DELETE",
            ),
        ),
        migrations.AddConstraint(
            model_name="callevent",
            constraint=tenancy.constraints.TenantKeyConstraint(name="calls_callevent_line"),
        ),
        migrations.AddConstraint(
            model_name="callevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["voice", "recording", "reconciled"])),
                name="call_events_kind_check",
                violation_error_message="kind must be one of: voice, recording, reconciled.",
            ),
        ),
        migrations.AddConstraint(
            model_name="callevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "verdict__in",
                        [
                            "applied",
                            "duplicate",
                            "late",
                            "archived",
                            "waiting",
                            "unknown_status",
                            "unknown_line",
                            "conflict",
                            "malformed",
                        ],
                    )
                ),
                name="call_events_verdict_check",
                violation_error_message="verdict must be one of: applied, duplicate, late, archived, waiting, unknown_status, unknown_line, conflict, malformed.",
            ),
        ),
    ]
