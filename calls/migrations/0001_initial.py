import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0003_drop_like_index")]

    operations = [
        migrations.CreateModel(
            name="Call",
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
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=tenancy.models.line_in_scope,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="calls",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
                ("caller_number", models.TextField(db_collation="C")),
                ("call_sid", models.TextField(db_collation="C", verbose_name="call SID")),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("ringing", "Ringing"),
                            ("answered", "Answered"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                        ]
                    ),
                ),
                ("duration", models.IntegerField(db_default=0, default=0, help_text="Seconds.")),
                ("recording_url", models.TextField(blank=True, null=True)),
                ("transcript", models.TextField(blank=True, null=True)),
                ("ai_summary", models.TextField(blank=True, null=True, verbose_name="AI summary")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
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
                "db_table": "calls",
                "ordering": ["-created_at", "-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["phone"], name="idx_calls_phone_id"),
                    models.Index(fields=["-created_at"], name="idx_calls_created_at"),
                    models.Index(fields=["phone", "status"], name="idx_calls_status"),
                    models.Index(
                        fields=["phone", "caller_number"], name="idx_calls_caller_number"
                    ),
                    models.Index(
                        fields=["phone", "status", "-created_at"],
                        name="idx_calls_phone_status_date",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["ringing", "answered"])),
                        fields=["phone", "-created_at"],
                        name="idx_active_calls",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["created_at"], name="idx_calls_created_brin"
                    ),
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="calls_call_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_call_line"),
                    models.UniqueConstraint(
                        fields=("call_sid",),
                        name="calls_call_sid_key",
                        violation_error_message="A call with this SID exists already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["ringing", "answered", "completed", "failed"])
                        ),
                        name="calls_status_check",
                        violation_error_message="status must be one of: ringing, answered, completed, failed.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallMetadata",
            fields=[
                (
                    "call",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="metadata",
                        serialize=False,
                        to="calls.call",
                    ),
                ),
                (
                    "metadata",
                    models.JSONField(
                        blank=True,
                        db_default=django.db.models.expressions.RawSQL("'{}'::jsonb", ()),
                        default=dict,
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        db_default=django.db.models.expressions.RawSQL("'{}'::text[]", ()),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "custom_fields",
                    models.JSONField(
                        blank=True,
                        db_default=django.db.models.expressions.RawSQL("'{}'::jsonb", ()),
                        default=dict,
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
                        related_name="call_metadata",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "db_table": "call_metadata",
                "verbose_name": "call metadata",
                "verbose_name_plural": "call metadata",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["metadata"], name="idx_call_metadata_jsonb"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["tags"], name="idx_call_tags"
                    ),
                    models.Index(fields=["phone"], name="idx_call_metadata_phone_id"),
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="calls_callmetadata_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_callmetadata_line"),
                    tenancy.constraints.CascadeForeignKey(
                        column="call_id", name="call_metadata_call", references="calls"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("metadata__jsonb_typeof", "object")),
                        name="call_metadata_metadata_object",
                        violation_error_message="metadata must be a JSON object: {…}.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("custom_fields__jsonb_typeof", "object")),
                        name="call_metadata_custom_fields_object",
                        violation_error_message="custom_fields must be a JSON object: {…}.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="update_calls_updated_at",
                sql=database.triggers.SharedFunctionSql(
                    func="update_updated_at_column",
                    operation="UPDATE",
                    pgid="update_calls_updated_at",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_line_is_fixed",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.phone_id IS DISTINCT FROM NEW.phone_id)",
                    func="RAISE EXCEPTION 'A call stays with its line: phone_id cannot change.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_line_is_fixed",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_status_moves_forward",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status IN ('completed', 'failed') OR NEW.status = 'ringing'))",
                    func="RAISE EXCEPTION 'A call''s status only moves forward: ringing, answered, then completed or failed.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_status_moves_forward",
                    table="calls",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callmetadata",
            trigger=database.triggers.CompiledTrigger(
                name="call_metadata_follows_call",
                sql=database.triggers.TriggerSql(
                    declare="DECLARE line text;",
                    func="\n                    SELECT phone_id INTO line FROM public.calls WHERE id = NEW.call_id;\n                    IF NEW.phone_id IS NULL THEN\n                        NEW.phone_id = line;\n                    ELSIF NEW.phone_id IS DISTINCT FROM line THEN\n                        RAISE EXCEPTION 'Metadata belongs to the line of its call.'\n                            USING ERRCODE = 'check_violation',\n                            TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;\n                    END IF;\n                    RETURN NEW;\n                ",
                    operation='INSERT OR UPDATE OF "call_id", "phone_id"',
                    pgid="call_metadata_follows_call",
                    table="call_metadata",
                    when="BEFORE",
                ),
            ),
        ),
    ]
