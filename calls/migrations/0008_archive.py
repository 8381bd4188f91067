"""The archive: partitioned by month of created_at (UTC), under row level security throughout.

A SID is either live or archived; a call that is moved by hand keeps its metadata.
"""

from decimal import Decimal

import django.contrib.postgres.fields
import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction
from tenancy.constraints import protect_sql

# LIKE takes the columns of calls over in their order, so that INSERT … SELECT * fits; the foreign
# key and the few indexes are the archive's own.
ARCHIVE = f"""
CREATE TABLE calls_archive (
    LIKE calls INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    metadata jsonb NOT NULL DEFAULT '{{}}',
    tags text[] NOT NULL DEFAULT '{{}}',
    custom_fields jsonb NOT NULL DEFAULT '{{}}',
    metadata_created_at timestamptz,
    archived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, created_at),
    CONSTRAINT calls_archive_phone_id_fkey FOREIGN KEY (phone_id)
        REFERENCES phone_numbers ON DELETE CASCADE
) PARTITION BY RANGE (created_at);
ALTER TABLE calls_archive ALTER COLUMN id DROP DEFAULT;
CREATE INDEX idx_archive_created ON calls_archive (created_at DESC, id DESC);
CREATE INDEX idx_archive_phone_created ON calls_archive (phone_id, created_at DESC, id DESC);
CREATE INDEX idx_archive_call_sid ON calls_archive (call_sid);
CREATE INDEX idx_archive_caller_created ON calls_archive (caller_number, created_at DESC);
{protect_sql("calls_archive", "phone_id", tenant_may="SELECT")};
GRANT SELECT ON calls_archive TO replytics_api;
"""

# What keeps call_sid unique over calls and calls_archive together. A partitioned table cannot be
# unique by call_sid, and looking a SID up in each partition costs an INSERT more than the rest of
# it. So the archive's SIDs stand once more in one table, which nobody but triggers writes; the
# restorer takes a call off this list before it inserts it again.
ARCHIVED_SIDS = """
CREATE TABLE app.archived_call_sids (
    call_sid text COLLATE "C" PRIMARY KEY
);
REVOKE ALL ON app.archived_call_sids FROM PUBLIC;
GRANT SELECT, DELETE ON app.archived_call_sids TO replytics_staff;
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0007_index_calls")]

    operations = [
        migrations.RunSQL(
            ARCHIVE,
            "DROP TABLE calls_archive",
            state_operations=[
                migrations.CreateModel(
                    name="CallArchive",
                    fields=[
                        (
                            "id",
                            models.UUIDField(editable=False, primary_key=True, serialize=False),
                        ),
                        ("phone", tenancy.models.TenantForeignKey(related_name="archived_calls")),
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
                        ("duration", models.IntegerField(db_default=0, help_text="Seconds.")),
                        ("recording_url", models.TextField(blank=True, null=True)),
                        ("transcript", models.TextField(blank=True, null=True)),
                        (
                            "ai_summary",
                            models.TextField(blank=True, null=True, verbose_name="AI summary"),
                        ),
                        (
                            "created_at",
                            models.DateTimeField(
                                db_default=django.db.models.expressions.RawSQL("now()", ())
                            ),
                        ),
                        (
                            "updated_at",
                            models.DateTimeField(
                                db_default=django.db.models.expressions.RawSQL("now()", ())
                            ),
                        ),
                        ("provider_status", models.TextField(blank=True, null=True)),
                        ("legal_hold", models.BooleanField(db_default=False)),
                        (
                            "ai_confidence",
                            models.DecimalField(
                                db_default=Decimal("0.8"),
                                decimal_places=2,
                                max_digits=3,
                                verbose_name="AI confidence",
                            ),
                        ),
                        (
                            "metadata",
                            models.JSONField(
                                db_default=django.db.models.expressions.RawSQL("'{}'::jsonb", ())
                            ),
                        ),
                        (
                            "tags",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.TextField(),
                                db_default=django.db.models.expressions.RawSQL("'{}'::text[]", ()),
                                size=None,
                            ),
                        ),
                        (
                            "custom_fields",
                            models.JSONField(
                                db_default=django.db.models.expressions.RawSQL("'{}'::jsonb", ())
                            ),
                        ),
                        (
                            "metadata_created_at",
                            models.DateTimeField(
                                help_text="Unset for a call that had no metadata.", null=True
                            ),
                        ),
                        (
                            "archived_at",
                            models.DateTimeField(
                                db_default=django.db.models.expressions.RawSQL("now()", ())
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "archived call",
                        "db_table": "calls_archive",
                        "ordering": ["-created_at", "-id"],
                        "base_manager_name": "objects",
                        "default_manager_name": "objects",
                        "indexes": [
                            models.Index(
                                fields=["-created_at", "-id"], name="idx_archive_created"
                            ),
                            models.Index(
                                fields=["phone", "-created_at", "-id"],
                                name="idx_archive_phone_created",
                            ),
                            models.Index(fields=["call_sid"], name="idx_archive_call_sid"),
                            models.Index(
                                fields=["caller_number", "-created_at"],
                                name="idx_archive_caller_created",
                            ),
                        ],
                        "constraints": [
                            tenancy.constraints.TenantRLS(
                                column="phone_id",
                                name="calls_callarchive_rls",
                                tenant_may="SELECT",
                            ),
                            tenancy.constraints.ApiRights(
                                name="calls_callarchive_api", rights=("SELECT")
                            ),
                            tenancy.constraints.TenantKeyConstraint(name="calls_callarchive_line"),
                        ],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="SealedMonth",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "phone_id",
                        "since",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("phone", tenancy.models.TenantForeignKey(related_name="sealed_months")),
                ("since", models.DateTimeField(help_text="Start of the month, UTC.")),
                ("until", models.DateTimeField(help_text="Start of the next month, UTC.")),
                (
                    "calls",
                    models.BigIntegerField(
                        help_text="Dropped calls that have not been loaded again."
                    ),
                ),
            ],
            options={
                "db_table": "sealed_months",
                "ordering": ["-since", "phone"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_sealedmonth_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.ApiRights(name="calls_sealedmonth_api", rights=("SELECT")),
                    tenancy.constraints.TenantKeyConstraint(name="calls_sealedmonth_line"),
                ],
            },
        ),
        migrations.RunSQL(ARCHIVED_SIDS, "DROP TABLE app.archived_call_sids"),
        migrations.CreateModel(
            name="ArchiveRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "phone",
                    tenancy.models.TenantForeignKey(
                        default=None, null=True, related_name="archive_runs"
                    ),
                ),
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
                    models.DateTimeField(
                        help_text="Only calls that began before this time.", null=True
                    ),
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
                        help_text="Left for the next run: locked by others, beyond the limit, or after a stop.",
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
                ("sha256", models.TextField(default="", help_text="SHA-256 of the file.")),
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
                        help_text="When the last batch was committed.",
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("error", models.TextField(default="")),
            ],
            options={
                "db_table": "archive_runs",
                "ordering": ["-id"],
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
        LoadFunction("calls", "create_archive_partitions"),
        LoadFunction("calls", "refuse_archived_sid"),
        LoadFunction("calls", "remember_archived_sids"),
        LoadFunction("calls", "forget_archived_sids"),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_sid_not_archived",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_archived_sid",
                    operation='INSERT OR UPDATE OF "call_sid"',
                    pgid="calls_sid_not_archived",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_keeps_metadata",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (NEW.metadata_created_at IS NULL AND current_setting('app.archiving', true) IS DISTINCT FROM 'on')",
                    declare="DECLARE kept public.call_metadata;",
                    func="\n                    SELECT * INTO kept FROM public.call_metadata WHERE call_id = NEW.id;\n                    IF FOUND THEN\n                        NEW.metadata = kept.metadata;\n                        NEW.tags = kept.tags;\n                        NEW.custom_fields = kept.custom_fields;\n                        NEW.metadata_created_at = kept.created_at;\n                    END IF;\n                    RETURN NEW;\n                ",
                    operation="INSERT",
                    pgid="calls_archive_keeps_metadata",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_remembers_sids",
                sql=database.triggers.SharedFunctionSql(
                    func="app.remember_archived_sids",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="calls_archive_remembers_sids",
                    referencing="REFERENCING NEW TABLE AS added ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_forgets_sids",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_archived_sids",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_archive_forgets_sids",
                    referencing="REFERENCING OLD TABLE AS removed ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_forgets_all_sids",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_archived_sids",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_archive_forgets_all_sids",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_sid_is_fixed",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.call_sid IS DISTINCT FROM NEW.call_sid)",
                    func="RAISE EXCEPTION 'The call_sid of an archived call cannot change.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_archive_sid_is_fixed",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
    ]
