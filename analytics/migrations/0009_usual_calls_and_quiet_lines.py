"""What is usual at each line, the lines at which calls are missing, and the runs that look."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenancy.constraints

GRANT = "GRANT SELECT, INSERT, DELETE ON line_checks TO replytics_staff"


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0008_samples_of_verifications"),
        ("tenants", "0007_opening_hours"),
    ]

    operations = [
        migrations.CreateModel(
            name="LineCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("finished_at", models.DateTimeField()),
                ("lines", models.IntegerField(help_text="Lines with a baseline.")),
                ("watched", models.IntegerField()),
                ("quiet", models.IntegerField()),
            ],
            options={
                "db_table": "line_checks",
                "ordering": ["-id"],
                "get_latest_by": "id",
            },
        ),
        migrations.CreateModel(
            name="QuietLine",
            fields=[
                (
                    "phone",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="silence",
                        serialize=False,
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
                ("state", models.TextField(choices=[("watched", "watched"), ("quiet", "quiet")])),
                ("last_call_at", models.DateTimeField()),
                ("expected", models.FloatField(help_text="Calls that were expected since.")),
                (
                    "surprise",
                    models.FloatField(help_text="-ln of the probability that chance explains it."),
                ),
                (
                    "alarm_at",
                    models.FloatField(help_text="The surprise at which the line counts as quiet."),
                ),
                (
                    "refused",
                    models.BigIntegerField(
                        help_text="Callbacks of the line since then that were refused or not applied."
                    ),
                ),
                (
                    "cause",
                    models.TextField(
                        help_text="Why the latest of them was; empty: there were none."
                    ),
                ),
                (
                    "noticed_at",
                    models.DateTimeField(help_text="When three expected calls were missing."),
                ),
            ],
            options={
                "verbose_name": "quiet line",
                "db_table": "quiet_lines",
                "ordering": ["-surprise"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="analytics_quietline_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="analytics_quietline_line"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["watched", "quiet"])),
                        name="quiet_lines_state_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsualCalls",
            fields=[
                (
                    "phone",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="usual_calls",
                        serialize=False,
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
                (
                    "rates",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(),
                        help_text="Calls an hour, by the line's weekday * 24 + hour, from Sunday's midnight on.",
                        size=None,
                    ),
                ),
                ("calls_a_week", models.FloatField()),
                ("day_spread", models.FloatField()),
                ("week_spread", models.FloatField()),
                ("burst", models.FloatField()),
                (
                    "learned_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
            ],
            options={
                "verbose_name": "usual calls",
                "verbose_name_plural": "usual calls",
                "db_table": "usual_calls",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="analytics_usualcalls_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="analytics_usualcalls_line"),
                    models.CheckConstraint(
                        condition=models.Q(("rates__len", 168)), name="usual_calls_rates_check"
                    ),
                ],
            },
        ),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
    ]
