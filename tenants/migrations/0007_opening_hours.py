"""Further intervals of a weekday, and special days."""

import datetime
import uuid

import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_own_number_in_either_form"),
    ]

    operations = [
        LoadFunction("tenants", "any_overlap"),
        LoadFunction("tenants", "hours_overlap"),
        LoadFunction("tenants", "special_hours_overlap"),
        migrations.CreateModel(
            name="BusinessHoursInterval",
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
            ],
            options={
                "verbose_name": "further interval",
                "db_table": "business_hours_intervals",
                "ordering": ["phone", "day_of_week", "open_time"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SpecialDay",
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
                ("date", models.DateField()),
                (
                    "label",
                    models.TextField(
                        blank=True, db_default="", default="", help_text="Such as Christmas Eve."
                    ),
                ),
                ("is_closed", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "db_table": "special_days",
                "ordering": ["phone", "date"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SpecialDayInterval",
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
                ("open_time", models.TimeField()),
                ("close_time", models.TimeField()),
            ],
            options={
                "db_table": "special_day_intervals",
                "ordering": ["phone", "special_day", "open_time"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="businesshours",
            trigger=database.triggers.CompiledTrigger(
                name="business_hours_overlap",
                sql=database.triggers.TriggerSql(
                    constraint="CONSTRAINT",
                    func="\n                    IF (app.hours_overlap(NEW.phone_id, NEW.day_of_week)) THEN\n                        RAISE EXCEPTION 'These hours overlap other hours of the same day. Change or delete those first.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;\n                    END IF;\n                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;\n                ",
                    hash="dd11bad39cc3441f0355b1c8089efecfc902e8c5",
                    operation='INSERT OR UPDATE OF "phone_id", "day_of_week", "open_time", "close_time", "timezone", "is_closed"',
                    pgid="business_hours_overlap",
                    table="business_hours",
                    timing="DEFERRABLE INITIALLY IMMEDIATE",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="businesshoursinterval",
            name="phone",
            field=tenancy.models.TenantForeignKey(related_name="business_hours_intervals"),
        ),
        migrations.AddField(
            model_name="specialday",
            name="phone",
            field=tenancy.models.TenantForeignKey(related_name="special_days"),
        ),
        migrations.AddField(
            model_name="specialdayinterval",
            name="phone",
            field=tenancy.models.TenantForeignKey(related_name="special_day_intervals"),
        ),
        migrations.AddField(
            model_name="specialdayinterval",
            name="special_day",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="intervals",
                to="tenants.specialday",
            ),
        ),
        migrations.AddIndex(
            model_name="businesshoursinterval",
            index=models.Index(fields=["phone", "day_of_week"], name="idx_intervals_phone_day"),
        ),
        migrations.AddConstraint(
            model_name="businesshoursinterval",
            constraint=tenancy.constraints.TenantRLS(
                column="phone_id",
                name="tenants_businesshoursinterval_rls",
                tenant_may="SELECT, INSERT, UPDATE, DELETE",
            ),
        ),
        migrations.AddConstraint(
            model_name="businesshoursinterval",
            constraint=tenancy.constraints.TenantKeyConstraint(
                name="tenants_businesshoursinterval_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="businesshoursinterval",
            constraint=tenancy.constraints.ApiRights(
                name="tenants_businesshoursinterval_api",
                rights="SELECT, INSERT, DELETE, UPDATE (day_of_week, open_time, close_time)",
            ),
        ),
        migrations.AddConstraint(
            model_name="businesshoursinterval",
            constraint=models.CheckConstraint(
                condition=models.Q(("day_of_week__range", (0, 6))),
                name="business_hours_intervals_day_of_week_check",
                violation_error_message="day_of_week must be from 0 (Sunday) to 6 (Saturday).",
            ),
        ),
        migrations.AddConstraint(
            model_name="businesshoursinterval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("open_time__lte", datetime.time(23, 59, 59, 999999)),
                    ("close_time__lte", datetime.time(23, 59, 59, 999999)),
                ),
                name="business_hours_intervals_time_of_day",
                violation_error_message="Write midnight as 00:00.",
            ),
        ),
        migrations.AddConstraint(
            model_name="businesshoursinterval",
            constraint=models.CheckConstraint(
                condition=models.Q(("open_time", models.F("close_time")), _negated=True),
                name="business_hours_intervals_not_equal",
                violation_error_message="An interval ends at another time than it begins. For 24 hours, write two equal times as the hours of the day itself.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="businesshoursinterval",
            trigger=database.triggers.CompiledTrigger(
                name="business_hours_intervals_overlap",
                sql=database.triggers.TriggerSql(
                    constraint="CONSTRAINT",
                    func="\n                    IF (app.hours_overlap(NEW.phone_id, NEW.day_of_week)) THEN\n                        RAISE EXCEPTION 'These hours overlap other hours of the same day. Change or delete those first.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;\n                    END IF;\n                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;\n                ",
                    hash="43dc77ac83f8bbfa658ae8a005ecf072252945f1",
                    operation='INSERT OR UPDATE OF "phone_id", "day_of_week", "open_time", "close_time"',
                    pgid="business_hours_intervals_overlap",
                    table="business_hours_intervals",
                    timing="DEFERRABLE INITIALLY IMMEDIATE",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="specialday",
            constraint=tenancy.constraints.TenantRLS(
                column="phone_id",
                name="tenants_specialday_rls",
                tenant_may="SELECT, INSERT, UPDATE, DELETE",
            ),
        ),
        migrations.AddConstraint(
            model_name="specialday",
            constraint=tenancy.constraints.TenantKeyConstraint(name="tenants_specialday_line"),
        ),
        migrations.AddConstraint(
            model_name="specialday",
            constraint=tenancy.constraints.ApiRights(
                name="tenants_specialday_api",
                rights="SELECT, INSERT, DELETE, UPDATE (date, label, is_closed)",
            ),
        ),
        migrations.AddConstraint(
            model_name="specialday",
            constraint=models.UniqueConstraint(
                fields=("phone", "date"),
                name="special_days_phone_id_date_key",
                violation_error_message="This line already has a special day on that date.",
            ),
        ),
        migrations.AddConstraint(
            model_name="specialday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("date__range", (datetime.date(1, 1, 1), datetime.date(9999, 12, 31)))
                ),
                name="special_days_date_range",
                violation_error_message="Enter a date from year 1 to year 9999.",
            ),
        ),
        migrations.AddConstraint(
            model_name="specialday",
            constraint=models.CheckConstraint(
                condition=models.Q(("label__regex", "^(\\S(.{0,198}\\S)?)?$")),
                name="special_days_label_form",
                violation_error_message="A label is one line of at most 200 characters.",
            ),
        ),
        migrations.AddIndex(
            model_name="specialdayinterval",
            index=models.Index(
                fields=["phone", "special_day"], name="idx_special_intervals_phone"
            ),
        ),
        migrations.AddIndex(
            model_name="specialdayinterval",
            index=models.Index(fields=["special_day"], name="idx_special_intervals_day"),
        ),
        migrations.AddConstraint(
            model_name="specialdayinterval",
            constraint=tenancy.constraints.TenantRLS(
                column="phone_id",
                name="tenants_specialdayinterval_rls",
                tenant_may="SELECT, INSERT, UPDATE, DELETE",
            ),
        ),
        migrations.AddConstraint(
            model_name="specialdayinterval",
            constraint=tenancy.constraints.TenantKeyConstraint(
                name="tenants_specialdayinterval_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="specialdayinterval",
            constraint=tenancy.constraints.CascadeForeignKey(
                column="special_day_id",
                name="special_day_intervals_day",
                references="special_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="specialdayinterval",
            constraint=tenancy.constraints.ApiRights(
                name="tenants_specialdayinterval_api",
                rights="SELECT, INSERT, DELETE",
            ),
        ),
        migrations.AddConstraint(
            model_name="specialdayinterval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("open_time__lte", datetime.time(23, 59, 59, 999999)),
                    ("close_time__lte", datetime.time(23, 59, 59, 999999)),
                ),
                name="special_day_intervals_time_of_day",
                violation_error_message="Write midnight as 00:00.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="specialdayinterval",
            trigger=database.triggers.CompiledTrigger(
                name="special_day_intervals_follow_day",
                sql=database.triggers.TriggerSql(
                    declare="DECLARE line text;",
                    func="\n                    SELECT phone_id INTO line FROM public.special_days WHERE id = NEW.special_day_id;\n                    IF NEW.phone_id IS NULL THEN\n                        NEW.phone_id = line;\n                    ELSIF NEW.phone_id IS DISTINCT FROM line THEN\n                        RAISE EXCEPTION 'Hours of a special day belong to the line of that day.'\n                            USING ERRCODE = 'check_violation',\n                            TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="066ce21e03da2d66bb68b3e4a113d1a4722e1122",
                    operation='INSERT OR UPDATE OF "special_day_id", "phone_id"',
                    pgid="special_day_intervals_follow_day",
                    table="special_day_intervals",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="specialdayinterval",
            trigger=database.triggers.CompiledTrigger(
                name="special_day_intervals_overlap",
                sql=database.triggers.TriggerSql(
                    constraint="CONSTRAINT",
                    func="\n                    IF (app.special_hours_overlap(NEW.phone_id, NEW.special_day_id)) THEN\n                        RAISE EXCEPTION 'These hours overlap other hours of the same day. Change or delete those first.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;\n                    END IF;\n                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;\n                ",
                    hash="283f43647e054034d547ea38f4481c6154fe6ffb",
                    operation='INSERT OR UPDATE OF "phone_id", "special_day_id", "open_time", "close_time"',
                    pgid="special_day_intervals_overlap",
                    table="special_day_intervals",
                    timing="DEFERRABLE INITIALLY IMMEDIATE",
                    when="AFTER",
                ),
            ),
        ),
    ]
