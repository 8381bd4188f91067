"""The auth tokens of lines, encrypted, and the keys of their programs, hashed."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_drop_like_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.expressions.RawSQL("gen_random_uuid()", ()),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField(help_text="Which program uses it.")),
                ("prefix", models.TextField(db_collation="C", editable=False)),
                (
                    "secret_hash",
                    models.TextField(editable=False, help_text="SHA-256 of the secret, hex."),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(
                            choices=[
                                ("read", "Read the line's data"),
                                ("write", "Change the line's settings and calls"),
                                (
                                    "ingest",
                                    "Deliver transcripts, summaries and recordings of calls",
                                ),
                            ]
                        ),
                        size=None,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ()), editable=False
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "last_used_at",
                    models.DateTimeField(editable=False, help_text="To the minute.", null=True),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=tenancy.models.line_in_scope,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="api_keys",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "db_table": "api_keys",
                "ordering": ["phone", "created_at"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["phone", "created_at"], name="idx_api_keys_phone")
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="tenants_apikey_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="tenants_apikey_line"),
                    models.UniqueConstraint(fields=("prefix",), name="api_keys_prefix_key"),
                    models.CheckConstraint(
                        condition=models.Q(("secret_hash__regex", "^[0-9a-f]{64}$")),
                        name="api_keys_secret_hash_form",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__contained_by", ["read", "write", "ingest"]),
                            ("scopes__len__gt", 0),
                        ),
                        name="api_keys_scopes_known",
                        violation_error_message="Choose at least one of: read, write, ingest.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TelephonyCredential",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.expressions.RawSQL("gen_random_uuid()", ()),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account_sid",
                    models.TextField(
                        blank=True,
                        db_collation="C",
                        help_text="The Twilio account (or subaccount) of this line. Recordings name only that.",
                        null=True,
                        verbose_name="account SID",
                    ),
                ),
                ("current_token", models.TextField(editable=False)),
                ("next_token", models.TextField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ()), editable=False
                    ),
                ),
                (
                    "updated_at",
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
                        related_name="telephony_credential",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "db_table": "telephony_credentials",
                "ordering": ["phone"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["account_sid"], name="idx_telephony_account_sid")
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="tenants_telephonycredential_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.TenantKeyConstraint(
                        name="tenants_telephonycredential_line"
                    ),
                    models.UniqueConstraint(
                        fields=("phone",),
                        name="telephony_credentials_phone_id_key",
                        violation_error_message="This line already has a credential; edit that one.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account_sid__regex", "^AC[0-9a-f]{32}$")),
                        name="telephony_credentials_account_sid_form",
                        violation_error_message="An account SID is AC and 32 digits or letters a to f.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="telephonycredential",
            trigger=database.triggers.CompiledTrigger(
                name="update_telephony_credentials_updated_at",
                sql=database.triggers.SharedFunctionSql(
                    func="update_updated_at_column",
                    operation="UPDATE",
                    pgid="update_telephony_credentials_updated_at",
                    table="telephony_credentials",
                    when="BEFORE",
                ),
            ),
        ),
    ]
