"""Who placed and released each legal hold, and why."""

import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0014_claims"), ("tenants", "0002_drop_like_index")]

    operations = [
        LoadFunction("calls", "record_legal_hold"),
        LoadFunction("calls", "mark_held_call"),
        LoadFunction("calls", "keep_legal_hold"),
        LoadFunction("calls", "refuse_truncate_under_hold"),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("call_id", models.UUIDField(verbose_name="call")),
                ("reason", models.TextField()),
                ("case_reference", models.TextField(verbose_name="case")),
                ("placed_by", models.TextField()),
                (
                    "placed_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
                ("released_by", models.TextField(null=True)),
                ("released_at", models.DateTimeField(null=True)),
                ("release_reason", models.TextField(null=True)),
            ],
            options={
                "db_table": "legal_holds",
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="legalhold",
            name="phone",
            field=tenancy.models.TenantForeignKey(related_name="legal_holds"),
        ),
        migrations.AddIndex(
            model_name="legalhold",
            index=models.Index(
                condition=models.Q(("released_at__isnull", True)),
                fields=["call_id"],
                name="idx_legal_holds_in_force",
            ),
        ),
        migrations.AddIndex(
            model_name="legalhold",
            index=models.Index(fields=["phone", "call_id"], name="idx_legal_holds_call"),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=tenancy.constraints.TenantRLS(
                column="phone_id", name="calls_legalhold_rls", tenant_may="SELECT"
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=tenancy.constraints.TenantKeyConstraint(name="calls_legalhold_line"),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("case_reference__regex", "\\S"),
                    ("placed_by__regex", "\\S"),
                    ("reason__regex", "\\S"),
                ),
                name="legal_holds_say_why",
                violation_error_message="A hold needs a reason, a case and who placed it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("release_reason__isnull", True),
                        ("released_at__isnull", True),
                        ("released_by__isnull", True),
                    ),
                    models.Q(
                        ("release_reason__regex", "\\S"),
                        ("released_at__isnull", False),
                        ("released_by__regex", "\\S"),
                    ),
                    _connector="OR",
                ),
                name="legal_holds_release_says_why",
                violation_error_message="A release needs a reason and who released it.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="legalhold",
            trigger=database.triggers.CompiledTrigger(
                name="legal_holds_by_staff",
                sql=database.triggers.SharedFunctionSql(
                    func="app.record_legal_hold",
                    operation="INSERT OR UPDATE",
                    pgid="legal_holds_by_staff",
                    table="legal_holds",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="legalhold",
            trigger=database.triggers.CompiledTrigger(
                name="legal_holds_mark_call",
                sql=database.triggers.SharedFunctionSql(
                    func="app.mark_held_call",
                    operation="INSERT OR UPDATE",
                    pgid="legal_holds_mark_call",
                    table="legal_holds",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="legalhold",
            trigger=database.triggers.CompiledTrigger(
                name="legal_holds_stay",
                sql=database.triggers.SharedFunctionSql(
                    func="app.keep_legal_hold",
                    operation="DELETE",
                    pgid="legal_holds_stay",
                    table="legal_holds",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="legalhold",
            trigger=database.triggers.CompiledTrigger(
                name="legal_holds_refuse_truncate",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_truncate_under_hold",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="legal_holds_refuse_truncate",
                    table="legal_holds",
                    when="BEFORE",
                ),
            ),
        ),
    ]
