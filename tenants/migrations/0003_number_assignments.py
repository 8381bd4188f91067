"""Who held which number when; numbers of today were always their lines'."""

import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction

# Of lines that were there before the triggers were.
HOLDERS = """
INSERT INTO number_assignments (number, phone_id, recorded_at)
SELECT app.one_number(number), id, created_at FROM phone_numbers
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0002_drop_like_index"),
    ]

    operations = [
        LoadFunction("tenants", "one_number"),
        LoadFunction("tenants", "record_number_holder"),
        LoadFunction("tenants", "keep_former_number"),
        migrations.CreateModel(
            name="NumberAssignment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "number",
                    models.TextField(help_text="In its one form: tenants.numbers.one_form()."),
                ),
                (
                    "since",
                    models.DateTimeField(
                        help_text="None: nobody held the number before.", null=True
                    ),
                ),
                (
                    "until",
                    models.DateTimeField(help_text="None: the line holds the number.", null=True),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
            ],
            options={
                "db_table": "number_assignments",
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="numberassignment",
            name="phone",
            field=tenancy.models.TenantForeignKey(null=True, related_name="number_assignments"),
        ),
        migrations.AddIndex(
            model_name="numberassignment",
            index=models.Index(fields=["number"], name="idx_number_assignments_number"),
        ),
        migrations.AddIndex(
            model_name="numberassignment",
            index=models.Index(fields=["phone", "-id"], name="idx_number_assignments_phone"),
        ),
        migrations.AddConstraint(
            model_name="numberassignment",
            constraint=tenancy.constraints.TenantRLS(
                column="phone_id", name="tenants_numberassignment_rls", tenant_may="SELECT"
            ),
        ),
        migrations.AddConstraint(
            model_name="numberassignment",
            constraint=tenancy.constraints.TenantKeyConstraint(
                name="tenants_numberassignment_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="numberassignment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until__isnull", True)),
                fields=("number",),
                name="number_assignments_number_key",
                violation_error_message="Another line already has this number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="numberassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("since__isnull", True),
                    ("until__isnull", True),
                    ("since__lt", models.F("until")),
                    _connector="OR",
                ),
                name="number_assignments_in_order",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="numberassignment",
            trigger=database.triggers.CompiledTrigger(
                name="number_assignments_stay",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.phone_id IS NOT NULL)",
                    func="app.keep_former_number",
                    operation="DELETE",
                    pgid="number_assignments_stay",
                    table="number_assignments",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="phonenumber",
            trigger=database.triggers.CompiledTrigger(
                name="phone_numbers_holder",
                sql=database.triggers.SharedFunctionSql(
                    func="app.record_number_holder",
                    operation="INSERT",
                    pgid="phone_numbers_holder",
                    table="phone_numbers",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="phonenumber",
            trigger=database.triggers.CompiledTrigger(
                name="phone_numbers_new_number",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.number <> NEW.number)",
                    func="app.record_number_holder",
                    operation="UPDATE",
                    pgid="phone_numbers_new_number",
                    table="phone_numbers",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(HOLDERS, migrations.RunSQL.noop),
    ]
