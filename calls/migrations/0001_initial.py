"""Calls, what else is known of them, the inbox of the provider's events, and reviews."""

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
from database.operations import LoadFunction

# Archiving leaves a dead row per call: autovacuum works at 2 % of the table, not at 20 %. A status
# callback changes a row several times; the room that fillfactor leaves in each page lets
# transcripts and recordings be added without touching an index.
SETTINGS = {
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_vacuum_threshold": "1000",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_delay": "1",
}
OPTIONS = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
TUNE = [
    f"ALTER TABLE calls SET ({OPTIONS}, fillfactor = 90)",
    f"ALTER TABLE call_metadata SET ({OPTIONS})",
]


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0002_drop_like_index")]

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
                ("phone", tenancy.models.TenantForeignKey(related_name="calls")),
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
                (
                    "provider_status",
                    models.TextField(
                        blank=True,
                        help_text="The provider's own status, such as busy or no-answer.",
                        null=True,
                    ),
                ),
                (
                    "legal_hold",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Not archived or deleted while this is set.",
                    ),
                ),
            ],
            options={
                "db_table": "calls",
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("hold_call", "Can put calls under legal hold and release them"),
                    ("export_call", "Can export calls"),
                    ("review_call", "Can review calls and correct their summaries"),
                ],
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
                    models.Index(
                        fields=["caller_number", "-created_at"], name="idx_calls_caller_created"
                    ),
                    models.Index(
                        condition=models.Q(("legal_hold", True)),
                        fields=["-created_at", "-id"],
                        name="idx_calls_legal_hold",
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
                        violation_error_message="A call with this SID already exists.",
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
                ("phone", tenancy.models.TenantForeignKey(related_name="call_metadata")),
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
            ],
            options={
                "verbose_name": "call metadata",
                "verbose_name_plural": "call metadata",
                "db_table": "call_metadata",
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
                    tenancy.constraints.ApiRights(
                        name="calls_callmetadata_api",
                        rights=("SELECT, INSERT, UPDATE (metadata, tags, custom_fields)"),
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
        migrations.CreateModel(
            name="CallEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("phone", tenancy.models.TenantForeignKey(null=True, related_name="call_events")),
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
                ("payload", models.JSONField(help_text="The parameters as received.")),
                (
                    "parsed",
                    models.JSONField(help_text="The values read from the parameters.", null=True),
                ),
                (
                    "received_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("applied", "Applied"),
                            ("duplicate", "Duplicate"),
                            ("late", "Late: the call had moved on"),
                            ("archived", "The call is in the archive"),
                            ("waiting", "Waiting for its call"),
                            ("unknown_status", "Unknown status"),
                            ("unknown_line", "Unknown line"),
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
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["phone", "-id"], name="idx_call_events_phone"),
                    models.Index(fields=["call_sid", "id"], name="idx_call_events_call_sid"),
                    models.Index(
                        condition=models.Q(
                            (
                                "outcome__in",
                                [
                                    "waiting",
                                    "unknown_status",
                                    "unknown_line",
                                    "conflict",
                                    "malformed",
                                ],
                            )
                        ),
                        fields=["outcome", "-id"],
                        name="idx_call_events_problems",
                    ),
                    models.Index(fields=["received_at"], name="idx_call_events_received"),
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id",
                        name="calls_callevent_rls",
                        tenant_may="SELECT, INSERT, UPDATE, DELETE",
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_callevent_line"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["voice", "recording", "reconciled"])),
                        name="call_events_kind_check",
                        violation_error_message="kind must be one of: voice, recording, reconciled.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "outcome__in",
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
                        name="call_events_outcome_check",
                        violation_error_message="outcome must be one of: applied, duplicate, late, archived, waiting, unknown_status, unknown_line, conflict, malformed.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallReview",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("phone", tenancy.models.TenantForeignKey(related_name="call_reviews")),
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
            ],
            options={
                "verbose_name": "review",
                "db_table": "call_reviews",
                "ordering": ["-id"],
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
                        violation_error_message="This call already has a review.",
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
                        violation_error_message="A claim needs a person and an end time.",
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
                        violation_error_message="A finished review needs a time and a reviewer.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
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
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status AND (NEW.status = 'ringing' OR OLD.status IN ('completed', 'failed') AND (OLD.provider_status IS DISTINCT FROM 'timed-out' OR NEW.provider_status IS NOT DISTINCT FROM 'timed-out')))",
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
        LoadFunction("calls", "call_progress"),
        LoadFunction("calls", "line_of_call"),
        LoadFunction("calls", "telephony_lines"),
        LoadFunction("calls", "adopt_call_events"),
        LoadFunction("calls", "merge_call"),
        LoadFunction("calls", "apply_call_event"),
        LoadFunction("calls", "receive_call_event"),
        LoadFunction("calls", "keep_call_event"),
    ]
