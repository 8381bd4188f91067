"""The answers to requests that may be sent twice, and the counters of the rate limit."""

import django.db.models.expressions
from django.db import migrations, models

import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction

# How many requests each credential and line made in the running window, for every process.
# Unlogged: a counter that a crash sets to zero harms nobody, and its commits wait for no disk.
# fillfactor: each update stays on its page (HOT), so that the table does not grow.
REQUEST_COUNTS = """
CREATE UNLOGGED TABLE app.request_counts (
    subject text COLLATE "C" PRIMARY KEY,
    period bigint NOT NULL,
    used integer NOT NULL
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 10000);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("phone", tenancy.models.TenantForeignKey(related_name="idempotency_keys")),
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
            ],
            options={
                "db_table": "idempotency_keys",
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["created_at"], name="idx_idempotency_created")],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="api_idempotencykey_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.ApiRights(
                        name="api_idempotencykey_api",
                        rights=("SELECT, INSERT, UPDATE (status, answer)"),
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="api_idempotencykey_line"),
                    models.UniqueConstraint(
                        fields=("phone", "key"), name="idempotency_keys_phone_id_key"
                    ),
                ],
            },
        ),
        migrations.RunSQL(REQUEST_COUNTS, "DROP TABLE app.request_counts"),
        LoadFunction("api", "reserve_requests"),
        LoadFunction("api", "prune_request_counts"),
    ]
