"""Reviews of calls of low confidence, and the rights that working lists ask for."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenancy.constraints
import tenancy.models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0051_index_legal_hold"),
        ("tenants", "0042_count_requests"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="call",
            options={
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("hold_call", "Can put calls under legal hold and release them"),
                    ("export_call", "Can export calls"),
                    ("review_call", "Can review calls and correct their summaries"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallReview",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("call_id", models.UUIDField(verbose_name="call")),
                ("call_began", models.DateTimeField(verbose_name="call began")),
                ("claimed_by", models.TextField(blank=True, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("reviewed_by", models.TextField(blank=True, null=True)),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "history",
                    models.JSONField(
                        db_default=django.db.models.expressions.RawSQL("'[]'::jsonb", ()),
                        default=list,
                        help_text="Each step: at, by, did; a correction also has the former summary.",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ()), editable=False
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=tenancy.models.line_in_scope,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="call_reviews",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "verbose_name": "review",
                "db_table": "call_reviews",
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(
                        condition=models.Q(("reviewed_at__isnull", True)),
                        fields=["claimed_by"],
                        name="idx_call_reviews_claimed",
                    )
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="calls_callreview_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_callreview_line"),
                    models.UniqueConstraint(
                        fields=("phone", "call_id"),
                        name="call_reviews_phone_id_call_id_key",
                        violation_error_message="This call has a review already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("claimed_by__isnull", True), ("claimed_until__isnull", True)
                            ),
                            models.Q(
                                ("claimed_by__isnull", False), ("claimed_until__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="call_reviews_claim_ends",
                        violation_error_message="A claim has somebody who holds it and an end.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reviewed_at__isnull", True), ("reviewed_by__isnull", True)),
                            models.Q(
                                ("reviewed_at__isnull", False), ("reviewed_by__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="call_reviews_reviewed_by_somebody",
                        violation_error_message="A review that is done has its time and its reviewer.",
                    ),
                ],
            },
        ),
    ]
