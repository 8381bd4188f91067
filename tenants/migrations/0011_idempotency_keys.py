"""The answers to requests that may be sent twice."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenancy.constraints
import tenancy.models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0010_credentials")]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.TextField(db_collation="C")),
                ("request_hash", models.TextField()),
                ("status", models.SmallIntegerField(null=True)),
                ("answer", models.JSONField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=tenancy.models.line_in_scope,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="idempotency_keys",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "db_table": "idempotency_keys",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["created_at"], name="idx_idempotency_created")],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="tenants_idempotencykey_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="tenants_idempotencykey_line"),
                    models.UniqueConstraint(
                        fields=("phone", "key"), name="idempotency_keys_phone_id_key"
                    ),
                ],
            },
        ),
    ]
