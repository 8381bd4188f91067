"""What was decided for a call, when, and what was known of it then."""

import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0030_imported_states"), ("tenants", "0007_opening_hours")]

    operations = [
        migrations.CreateModel(
            name="CallDecision",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "phone_id",
                        "call_sid",
                        "digest",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("phone", tenancy.models.TenantForeignKey(related_name="call_decisions")),
                (
                    "call_sid",
                    models.TextField(
                        db_collation="C",
                        help_text="As the provider writes it, also while the call is claimed.",
                    ),
                ),
                (
                    "digest",
                    models.TextField(
                        db_collation="C",
                        help_text="Of at, facts and settings_version: the same again adds no row.",
                    ),
                ),
                ("at", models.DateTimeField(help_text="The moment that was decided about.")),
                ("created_at", models.DateTimeField(help_text="When it was decided.")),
                ("facts", models.JSONField(help_text="What was known of the call.")),
                ("settings_version", models.TextField()),
                (
                    "answer",
                    models.JSONField(help_text="What was answered: hours, decisions and trace."),
                ),
            ],
            options={
                "verbose_name": "decision",
                "db_table": "call_decisions",
                "ordering": ["created_at", "digest"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_calldecision_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.ApiRights(name="calls_calldecision_api", rights="SELECT"),
                    tenancy.constraints.TenantKeyConstraint(name="calls_calldecision_line"),
                    models.CheckConstraint(
                        condition=models.Q(("facts__jsonb_typeof", "object")),
                        name="call_decisions_facts_object",
                        violation_error_message="facts must be a JSON object: {…}.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("answer__jsonb_typeof", "object")),
                        name="call_decisions_answer_object",
                        violation_error_message="answer must be a JSON object: {…}.",
                    ),
                ],
            },
        ),
        LoadFunction("calls", "refuse_change_of_held_part", again=True),
        pgtrigger.migrations.AddTrigger(
            model_name="calldecision",
            trigger=database.triggers.CompiledTrigger(
                name="call_decisions_stay",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (true)",
                    func="RAISE EXCEPTION 'A decision is kept as it was made; only a new one is added.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="call_decisions_stay",
                    table="call_decisions",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="calldecision",
            trigger=database.triggers.CompiledTrigger(
                name="call_decisions_hold_keeps_rows",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_change_of_held_part",
                    operation="DELETE",
                    pgid="call_decisions_hold_keeps_rows",
                    table="call_decisions",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="calldecision",
            trigger=database.triggers.CompiledTrigger(
                name="call_decisions_hold_refuses_truncate",
                sql=database.triggers.SharedFunctionSql(
                    func="app.refuse_truncate_under_hold",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="call_decisions_hold_refuses_truncate",
                    table="call_decisions",
                    when="BEFORE",
                ),
            ),
        ),
        LoadFunction("calls", "move_call_decisions"),
        LoadFunction("calls", "move_call_parts", again=True),
        LoadFunction("calls", "absorb_call_decisions"),
        LoadFunction("calls", "absorb_call", again=True),
        LoadFunction("calls", "forget_call_parts", again=True),
        LoadFunction("calls", "mark_held_call", again=True),
        LoadFunction("calls", "keep_call_decision"),
    ]
