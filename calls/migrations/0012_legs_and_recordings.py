"""Legs and recordings of a call: tables while it is live, columns of its row in the archive."""

import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0011_one_caller"),
        ("tenants", "0002_drop_like_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallLeg",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "phone_id",
                        "call_sid",
                        "leg_sid",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("phone", tenancy.models.TenantForeignKey(related_name="call_legs")),
                (
                    "call_sid",
                    models.TextField(
                        db_collation="C", help_text="SID of the call that it belongs to."
                    ),
                ),
                ("leg_sid", models.TextField(db_collation="C")),
                ("direction", models.TextField(null=True)),
                (
                    "to",
                    models.TextField(
                        help_text="Who was called: a number or an address.", null=True
                    ),
                ),
                (
                    "status",
                    models.TextField(help_text="The provider's own, such as busy or no-answer."),
                ),
                ("duration", models.IntegerField(help_text="Seconds.", null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "leg",
                "db_table": "call_legs",
                "ordering": ["started_at", "leg_sid"],
                "indexes": [models.Index(fields=["leg_sid"], name="idx_call_legs_leg_sid")],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_callleg_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.ApiRights(name="calls_callleg_api", rights="SELECT"),
                    tenancy.constraints.TenantKeyConstraint(name="calls_callleg_line"),
                ],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="CallRecording",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "phone_id",
                        "call_sid",
                        "recording_sid",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("phone", tenancy.models.TenantForeignKey(related_name="call_recordings")),
                ("call_sid", models.TextField(db_collation="C")),
                ("recording_sid", models.TextField(db_collation="C")),
                ("url", models.TextField(null=True)),
                ("duration", models.IntegerField(help_text="Seconds.", null=True)),
                ("channels", models.IntegerField(null=True)),
                (
                    "source",
                    models.TextField(help_text="What made it, such as DialVerb.", null=True),
                ),
                (
                    "state",
                    models.TextField(help_text="The provider's own, such as completed or absent."),
                ),
                ("started", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "recording",
                "db_table": "call_recordings",
                "ordering": ["started", "recording_sid"],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_callrecording_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.ApiRights(name="calls_callrecording_api", rights="SELECT"),
                    tenancy.constraints.TenantKeyConstraint(name="calls_callrecording_line"),
                ],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="callarchive",
            name="legs",
            field=models.JSONField(
                db_default=django.db.models.expressions.RawSQL("'[]'::jsonb", ()),
                help_text="Rows of call_legs.",
            ),
        ),
        migrations.AddField(
            model_name="callarchive",
            name="recordings",
            field=models.JSONField(
                db_default=django.db.models.expressions.RawSQL("'[]'::jsonb", ()),
                help_text="Rows of call_recordings.",
            ),
        ),
        LoadFunction("calls", "forget_call_parts"),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_forget_parts",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on' OR current_user <> 'replytics_staff')",
                    func="app.forget_call_parts",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_forget_parts",
                    referencing="REFERENCING OLD TABLE AS removed ",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_forget_all_parts",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_call_parts",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_forget_all_parts",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_keeps_parts",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (NEW.legs = '[]' AND NEW.recordings = '[]' AND current_setting('app.archiving', true) IS DISTINCT FROM 'on')",
                    func="\n                    NEW.legs = (\n    SELECT coalesce(\n        jsonb_agg(to_jsonb(l) - ARRAY['phone_id', 'call_sid'] ORDER BY l.leg_sid), '[]')\n    FROM public.call_legs l WHERE (l.phone_id, l.call_sid) = (NEW.phone_id, NEW.call_sid)\n);\n                    NEW.recordings = (\n    SELECT coalesce(\n        jsonb_agg(to_jsonb(r) - ARRAY['phone_id', 'call_sid'] ORDER BY r.recording_sid), '[]')\n    FROM public.call_recordings r\n    WHERE (r.phone_id, r.call_sid) = (NEW.phone_id, NEW.call_sid)\n);\n                    RETURN NEW;\n                ",
                    operation="INSERT",
                    pgid="calls_archive_keeps_parts",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        LoadFunction("calls", "line_of_call", again=True),
        LoadFunction("calls", "keep_call_recording"),
        LoadFunction("calls", "keep_call_leg"),
        LoadFunction("calls", "merge_call", again=True),
        LoadFunction("calls", "apply_call_event", again=True),
    ]
