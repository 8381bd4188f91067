"""Refused callbacks are counted, and the same event again adds no row."""

from django.db import migrations, models

import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0019_hold_archive"),
        ("tenants", "0002_drop_like_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefusedCallback",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "phone",
                    tenancy.models.TenantForeignKey(null=True, related_name="refused_callbacks"),
                ),
                (
                    "cause",
                    models.TextField(
                        choices=[
                            ("no_signature", "No signature"),
                            ("wrong_url", "Signed for another URL"),
                            ("account_token", "Signed with the account's token"),
                            ("unknown_line", "Unknown line"),
                            ("wrong_token", "Signed with another token, or forged"),
                            ("unreadable", "Unreadable request"),
                        ]
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("count", models.BigIntegerField()),
                (
                    "detail",
                    models.TextField(help_text="The probable cause, of the latest request."),
                ),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "refused callback",
                "db_table": "refused_callbacks",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["hour"], name="idx_refused_callbacks_hour")],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_refusedcallback_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_refusedcallback_line"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "cause__in",
                                [
                                    "no_signature",
                                    "wrong_url",
                                    "account_token",
                                    "unknown_line",
                                    "wrong_token",
                                    "unreadable",
                                ],
                            )
                        ),
                        name="refused_callbacks_cause_check",
                        violation_error_message="cause must be one of: no_signature, wrong_url, account_token, unknown_line, wrong_token, unreadable.",
                    ),
                    models.UniqueConstraint(
                        fields=("phone", "cause", "hour"),
                        name="refused_callbacks_hour_key",
                        nulls_distinct=False,
                    ),
                ],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="callevent",
            name="digest",
            field=models.TextField(
                help_text="MD5 of kind and payload; the same again adds no row.", null=True
            ),
        ),
        migrations.AddField(
            model_name="callevent",
            name="repeats",
            field=models.IntegerField(
                db_default=0, default=0, help_text="How often the same came again."
            ),
        ),
        migrations.AddConstraint(
            model_name="callevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("digest__isnull", False)),
                fields=("phone", "digest"),
                name="call_events_once",
                nulls_distinct=False,
            ),
        ),
        LoadFunction("calls", "count_refused_callback"),
        LoadFunction("calls", "adopt_call_events", again=True),
        LoadFunction("calls", "receive_call_event", again=True),
        LoadFunction("calls", "keep_call_event", again=True),
    ]
