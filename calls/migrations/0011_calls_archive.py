"""The archive: partitioned by month of created_at (UTC), under row level security throughout."""

from decimal import Decimal

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenancy.constraints
import tenancy.models
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
CREATE INDEX idx_archive_phone_created ON calls_archive (phone_id, created_at DESC, id DESC);
CREATE INDEX idx_archive_call_sid ON calls_archive (call_sid);
CREATE INDEX idx_archive_caller_created ON calls_archive (caller_number, created_at DESC);
{protect_sql("calls_archive", "phone_id", tenant_may="SELECT")};
"""

# A partition is built apart and attached: that blocks neither readers nor writers of the archive,
# as CREATE TABLE … PARTITION OF would. It carries the policies itself and is granted to nobody.
# The bounds are written and read as text: hence the two settings.
PARTITIONS = """
CREATE FUNCTION app.create_archive_partitions(first timestamptz, last timestamptz)
RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    month timestamptz := date_trunc('month', first);
    partition text;
BEGIN
    IF (first BETWEEN '1970-01-01' AND last AND last < '10000-01-01'
        AND last < first + interval '100 years') IS NOT TRUE
    THEN
        RAISE EXCEPTION 'no partitions from % to %: give a range from 1970 on of at most 100 years',
            first, last USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('app.create_archive_partitions'));
    WHILE month <= last LOOP
        partition := 'calls_archive_' || to_char(month, 'YYYY_MM');
        IF to_regclass('public.' || partition) IS NULL THEN
            -- The CHECK spares every ATTACH the scan that would prove it.
            EXECUTE format(
                'CREATE TABLE public.%I (LIKE public.calls_archive INCLUDING DEFAULTS INCLUDING CONSTRAINTS,'
                ' CONSTRAINT calls_archive_month CHECK (created_at >= %L AND created_at < %L))',
                partition, month, month + interval '1 month');
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                partition);
            EXECUTE format('CREATE POLICY tenant ON public.%I USING (phone_id = (SELECT app.phone()))'
                ' WITH CHECK (phone_id = (SELECT app.phone()))', partition);
            EXECUTE format('CREATE POLICY staff ON public.%I TO replytics_staff USING (true)'
                ' WITH CHECK (true)', partition);
            EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', partition);
            EXECUTE format('ALTER TABLE public.calls_archive ATTACH PARTITION public.%I'
                ' FOR VALUES FROM (%L) TO (%L)', partition, month, month + interval '1 month');
            RETURN NEXT partition;
        ELSIF NOT EXISTS (
            SELECT FROM pg_inherits WHERE inhparent = to_regclass('public.calls_archive')
            AND inhrelid = to_regclass('public.' || partition)
        ) THEN
            RAISE EXCEPTION 'public.% is no partition of calls_archive: attach, rename or drop it',
                partition USING ERRCODE = 'duplicate_table';
        END IF;
        month := month + interval '1 month';
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION app.create_archive_partitions(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.create_archive_partitions(timestamptz, timestamptz)
    TO replytics_staff;
"""
DROP_PARTITIONS = "DROP FUNCTION app.create_archive_partitions(timestamptz, timestamptz)"


class Migration(migrations.Migration):
    dependencies = [("calls", "0010_add_legal_hold")]

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
                        (
                            "phone",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                default=tenancy.models.line_in_scope,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="archived_calls",
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
                        (
                            "ai_confidence",
                            models.DecimalField(
                                db_default=Decimal("0.8"),
                                decimal_places=2,
                                max_digits=3,
                                verbose_name="AI confidence",
                            ),
                        ),
                        ("provider_status", models.TextField(blank=True, null=True)),
                        ("legal_hold", models.BooleanField(db_default=False)),
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
                        "db_table": "calls_archive",
                        "verbose_name": "archived call",
                        "ordering": ["-created_at", "-id"],
                        "abstract": False,
                        "base_manager_name": "objects",
                        "default_manager_name": "objects",
                        "indexes": [
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
                            tenancy.constraints.TenantKeyConstraint(name="calls_callarchive_line"),
                        ],
                    },
                ),
            ],
        ),
        migrations.RunSQL(PARTITIONS, DROP_PARTITIONS),
    ]
