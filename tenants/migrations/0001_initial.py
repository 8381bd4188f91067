"""The lines, how each of them answers, who may work with it and its secrets."""

import datetime
import uuid
from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.columns
import database.triggers
import tenancy.constraints
import tenancy.models
import tenants.models
from database.operations import LoadFunction


class Migration(migrations.Migration):
    initial = True

    dependencies = [("database", "0001_schema_app"), ("tenancy", "0001_phone")]

    operations = [
        migrations.CreateModel(
            name="PhoneNumber",
            fields=[
                (
                    "id",
                    models.TextField(
                        default=tenants.models.new_phone_id,
                        primary_key=True,
                        serialize=False,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[+0-9A-Za-z_:.-]{1,64}$",
                                "Use only letters, digits and + _ : . - (at most 64).",
                            )
                        ],
                    ),
                ),
                (
                    "number",
                    models.TextField(
                        validators=[
                            django.core.validators.RegexValidator(
                                "^\\+[1-9][0-9]{1,14}$",
                                "Enter the number in E.164 format, such as +14155550123.",
                            )
                        ]
                    ),
                ),
                ("display_name", models.TextField(blank=True, null=True)),
                ("business_name", models.TextField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ()), editable=False
                    ),
                ),
                (
                    "timezone",
                    models.TextField(
                        db_default="UTC",
                        default="UTC",
                        validators=[database.columns.validate_timezone],
                    ),
                ),
            ],
            options={
                "verbose_name": "line",
                "db_table": "phone_numbers",
                "ordering": ["business_name", "id"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="id",
                        name="tenants_phonenumber_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.ApiRights(
                        name="tenants_phonenumber_api",
                        rights=("SELECT, UPDATE (business_name, display_name, timezone)"),
                    ),
                    models.UniqueConstraint(
                        fields=("number",),
                        name="phone_numbers_number_key",
                        violation_error_message="Another line already has this number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("id__regex", "^[+0-9A-Za-z_:.-]{1,64}$")),
                        name="phone_numbers_id_form",
                        violation_error_message="A line id can only have letters, digits and + _ : . -",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__regex", "^\\+[1-9][0-9]{1,14}$")),
                        name="phone_numbers_number_e164",
                        violation_error_message="Enter the number in E.164 format, such as +14155550123.",
                    ),
                    models.CheckConstraint(
                        condition=database.columns.KnownTimezone(models.F("timezone")),
                        name="phone_numbers_timezone_known",
                        violation_error_message="Choose an IANA time zone, such as Europe/Berlin or UTC.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VoiceSettings",
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
                ("phone", tenancy.models.TenantForeignKey(related_name="voice_settings")),
                ("voice_model", models.TextField(db_default="neural", default="neural")),
                ("voice_name", models.TextField(db_default="Alloy", default="Alloy")),
                (
                    "speech_speed",
                    models.DecimalField(
                        db_default=Decimal("1.0"),
                        decimal_places=2,
                        default=Decimal("1.0"),
                        max_digits=3,
                    ),
                ),
                ("language", models.TextField(db_default="en-US", default="en-US")),
                ("greeting_message", models.TextField(blank=True, null=True)),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ()), editable=False
                    ),
                ),
            ],
            options={
                "verbose_name": "voice settings",
                "verbose_name_plural": "voice settings",
                "db_table": "voice_settings",
                "ordering": ["phone"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="tenants_voicesettings_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.ApiRights(
                        name="tenants_voicesettings_api",
                        rights=(
                            "SELECT, UPDATE (voice_model, voice_name, speech_speed, language, "
                            "greeting_message)"
                        ),
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="tenants_voicesettings_line"),
                    models.UniqueConstraint(
                        fields=("phone",),
                        name="voice_settings_phone_id_key",
                        violation_error_message="This line already has voice settings; edit those.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("speech_speed__range", (Decimal("0.25"), Decimal("4")))
                        ),
                        name="voice_settings_speech_speed_range",
                        violation_error_message="Speech speed must be from 0.25 to 4; 1 is normal.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "language__regex",
                                "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$",
                            )
                        ),
                        name="voice_settings_language_tag",
                        violation_error_message="Enter a language tag such as en-US, de or zh-Hant-TW.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConversationRule",
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
                ("phone", tenancy.models.TenantForeignKey(related_name="conversation_rules")),
                (
                    "rule_type",
                    models.TextField(
                        choices=[
                            ("greeting", "Greeting"),
                            ("routing", "Routing"),
                            ("transfer", "Transfer"),
                            ("hours", "Hours"),
                        ]
                    ),
                ),
                (
                    "conditions",
                    models.JSONField(
                        blank=True,
                        db_default=django.db.models.expressions.RawSQL("'{}'::jsonb", ()),
                        default=dict,
                    ),
                ),
                (
                    "actions",
                    models.JSONField(
                        blank=True,
                        db_default=django.db.models.expressions.RawSQL("'{}'::jsonb", ()),
                        default=dict,
                    ),
                ),
                ("priority", models.IntegerField(db_default=0, default=0)),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ()), editable=False
                    ),
                ),
            ],
            options={
                "db_table": "conversation_rules",
                "ordering": ["phone", "-priority", "created_at", "id"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["phone", "-priority"], name="idx_rules_phone_priority")
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="tenants_conversationrule_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.ApiRights(
                        name="tenants_conversationrule_api",
                        rights=(
                            "SELECT, INSERT, DELETE, UPDATE (rule_type, conditions, actions, "
                            "priority, is_active)"
                        ),
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="tenants_conversationrule_line"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rule_type__in", ["greeting", "routing", "transfer", "hours"])
                        ),
                        name="conversation_rules_rule_type_check",
                        violation_error_message="rule_type must be one of: greeting, routing, transfer, hours.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("conditions__jsonb_typeof", "object")),
                        name="conversation_rules_conditions_object",
                        violation_error_message="conditions must be a JSON object: {…}.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actions__jsonb_typeof", "object")),
                        name="conversation_rules_actions_object",
                        violation_error_message="actions must be a JSON object: {…}.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BusinessHours",
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
                ("phone", tenancy.models.TenantForeignKey(related_name="business_hours")),
                (
                    "day_of_week",
                    models.IntegerField(
                        choices=[
                            (0, "Sunday"),
                            (1, "Monday"),
                            (2, "Tuesday"),
                            (3, "Wednesday"),
                            (4, "Thursday"),
                            (5, "Friday"),
                            (6, "Saturday"),
                        ]
                    ),
                ),
                ("open_time", models.TimeField()),
                ("close_time", models.TimeField()),
                (
                    "timezone",
                    models.TextField(
                        db_default="UTC",
                        default="UTC",
                        validators=[database.columns.validate_timezone],
                    ),
                ),
                ("is_closed", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "verbose_name_plural": "business hours",
                "db_table": "business_hours",
                "ordering": ["phone", "day_of_week"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="tenants_businesshours_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.ApiRights(
                        name="tenants_businesshours_api",
                        rights=(
                            "SELECT, INSERT, DELETE, UPDATE (day_of_week, open_time, "
                            "close_time, timezone, is_closed)"
                        ),
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="tenants_businesshours_line"),
                    models.UniqueConstraint(
                        fields=("phone", "day_of_week"),
                        name="business_hours_phone_id_day_of_week_key",
                        violation_error_message="This line already has hours for that day; edit those.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("day_of_week__range", (0, 6))),
                        name="business_hours_day_of_week_check",
                        violation_error_message="day_of_week must be from 0 (Sunday) to 6 (Saturday).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("open_time__lte", datetime.time(23, 59, 59, 999999)),
                            ("close_time__lte", datetime.time(23, 59, 59, 999999)),
                        ),
                        name="business_hours_time_of_day",
                        violation_error_message="Write midnight as 00:00.",
                    ),
                    models.CheckConstraint(
                        condition=database.columns.KnownTimezone(models.F("timezone")),
                        name="business_hours_timezone_known",
                        violation_error_message="Choose an IANA time zone, such as Europe/Berlin or UTC.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("phone", tenancy.models.TenantForeignKey(related_name="memberships")),
                (
                    "subject",
                    models.TextField(
                        db_collation="C",
                        help_text="The `sub` of the user's tokens: Supabase's user id.",
                    ),
                ),
                (
                    "role",
                    models.TextField(
                        choices=[("viewer", "Reads"), ("editor", "Reads and changes")],
                        db_default="viewer",
                        default="viewer",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ()), editable=False
                    ),
                ),
            ],
            options={
                "db_table": "memberships",
                "ordering": ["phone", "subject"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["subject"], name="idx_memberships_subject")],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="tenants_membership_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="tenants_membership_line"),
                    models.UniqueConstraint(
                        fields=("phone", "subject"),
                        name="memberships_phone_id_subject_key",
                        violation_error_message="This user already belongs to the line.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["viewer", "editor"])),
                        name="memberships_role_check",
                        violation_error_message="role must be one of: viewer, editor.",
                    ),
                ],
            },
        ),
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
                ("phone", tenancy.models.TenantForeignKey(related_name="api_keys")),
                ("name", models.TextField(help_text="The program that uses it.")),
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
            ],
            options={
                "verbose_name": "API key",
                "db_table": "api_keys",
                "ordering": ["phone", "created_at"],
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
                    tenancy.constraints.ApiRights(
                        name="tenants_apikey_api",
                        rights=("SELECT (id, phone_id, last_used_at), UPDATE (last_used_at)"),
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
                ("phone", tenancy.models.TenantForeignKey(related_name="telephony_credential")),
                (
                    "account_sid",
                    models.TextField(
                        blank=True,
                        db_collation="C",
                        help_text="The Twilio account or subaccount of this line, which identifies its recordings.",
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
            ],
            options={
                "db_table": "telephony_credentials",
                "ordering": ["phone"],
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
                        violation_error_message="Not an account SID: expected AC followed by 32 hexadecimal digits.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voicesettings",
            trigger=database.triggers.CompiledTrigger(
                name="update_voice_settings_updated_at",
                sql=database.triggers.SharedFunctionSql(
                    func="update_updated_at_column",
                    operation="UPDATE",
                    pgid="update_voice_settings_updated_at",
                    table="voice_settings",
                    when="BEFORE",
                ),
            ),
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
        LoadFunction("tenants", "find_api_key"),
        LoadFunction("tenants", "find_memberships"),
    ]
