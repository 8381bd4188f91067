"""Months of a line whose calls left the archive: their statistics stay as they were."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.constraints
import tenancy.models

# The function of calls/0033; from here on it seals what it drops. Who holds the partition's lock
# finds every change of its calls in the queue, so an empty queue means that all are counted.
DROP_PARTITION = """
CREATE OR REPLACE FUNCTION
    app.drop_archive_partition(month timestamptz, calls bigint, checksum bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first timestamptz := date_trunc('month', month, 'UTC');
    next timestamptz := (date_trunc('month', month AT TIME ZONE 'UTC') + interval '1 month')
        AT TIME ZONE 'UTC';
    partition text := 'calls_archive_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
    held bigint;
    found_calls bigint;
    found_checksum bigint;
BEGIN
    IF to_regclass('public.' || partition) IS NULL THEN
        RAISE EXCEPTION 'There is no partition %.', partition USING ERRCODE = 'undefined_table';
    END IF;
    -- Writers wait from here on, readers go on until DETACH.
    EXECUTE format('LOCK TABLE public.%I IN SHARE ROW EXCLUSIVE MODE', partition);
    SELECT count(*), coalesce(bit_xor(hash_record_extended(a, 0)), 0),
        count(*) FILTER (WHERE legal_hold)
    INTO found_calls, found_checksum, held
    FROM public.calls_archive a WHERE a.created_at >= first AND a.created_at < next;
    IF held > 0 THEN
        RAISE EXCEPTION '% holds % calls under legal hold.', partition, held
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF (found_calls, found_checksum) IS DISTINCT FROM (calls, checksum) THEN
        RAISE EXCEPTION '% does not hold what the file holds.', partition
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;{seal}
    EXECUTE format('DELETE FROM app.archived_call_sids s USING public.%I p'
        ' WHERE s.call_sid = p.call_sid', partition);
    EXECUTE format('ALTER TABLE public.calls_archive DETACH PARTITION public.%I', partition);
    EXECUTE format('DROP TABLE public.%I', partition);
END
$$
"""
SEAL = """
    IF EXISTS (SELECT FROM public.rollup_queue q WHERE q.bucket >= first AND q.bucket < next) THEN
        RAISE EXCEPTION 'Statistics of % are not complete yet: run roll_up_calls first.', partition
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO public.sealed_months AS s (phone_id, since, until, calls)
    SELECT a.phone_id, first, next, count(*)
    FROM public.calls_archive a WHERE a.created_at >= first AND a.created_at < next
    GROUP BY a.phone_id
    ON CONFLICT (phone_id, since) DO UPDATE SET calls = s.calls + excluded.calls;"""

VIEW = """
CREATE OR REPLACE VIEW daily_call_stats_rows WITH (security_invoker) AS
SELECT
  phone_id || '~' || to_char(date, 'YYYY-MM-DD') AS key,
  phone_id, date, total_calls, answered_calls, successful_calls, total_duration,
  average_duration, unique_callers, created_at{column}
FROM daily_call_stats;
"""
# CREATE OR REPLACE can add a column, not take one away.
OLD_VIEW = f"""
DROP VIEW daily_call_stats_rows;
{VIEW.format(column="")}
REVOKE ALL ON daily_call_stats_rows FROM PUBLIC;
GRANT SELECT ON daily_call_stats_rows TO replytics_api, replytics_web, replytics_staff;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0015_rows_of_statistics"),
        ("calls", "0043_index_latest_archived_calls"),
    ]

    operations = [
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
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=tenancy.models.line_in_scope,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="sealed_months",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
                ("since", models.DateTimeField(help_text="The month's beginning, UTC.")),
                ("until", models.DateTimeField(help_text="The next month's beginning, UTC.")),
                (
                    "calls",
                    models.BigIntegerField(
                        help_text="Dropped, less those that were loaded again."
                    ),
                ),
            ],
            options={
                "db_table": "sealed_months",
                "ordering": ["-since", "phone"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="analytics_sealedmonth_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="analytics_sealedmonth_line"),
                ],
            },
        ),
        migrations.AddField(
            model_name="dailycallstats",
            name="callers_exact",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="False: unique_callers is at most so many; see SealedMonth.",
            ),
        ),
        migrations.RunSQL(VIEW.format(column=", callers_exact"), OLD_VIEW),
        migrations.RunSQL(
            DROP_PARTITION.replace("{seal}", SEAL), DROP_PARTITION.replace("{seal}", "")
        ),
    ]
