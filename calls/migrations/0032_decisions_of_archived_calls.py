"""The decisions of a call go with it into the archive and back."""

import django.db.models.expressions
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0031_decisions")]

    operations = [
        LoadFunction("calls", "keeps_parts", again=True),
        LoadFunction("calls", "refuse_delete_under_hold", again=True),
        pgtrigger.migrations.RemoveTrigger(
            model_name="callarchive",
            name="calls_archive_keeps_parts",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="callarchive",
            name="calls_archive_hold_keeps_evidence",
        ),
        migrations.AddField(
            model_name="callarchive",
            name="decisions",
            field=models.JSONField(
                db_default=django.db.models.expressions.RawSQL("'[]'::jsonb", ()),
                help_text="Rows of call_decisions.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_keeps_parts",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (NEW.legs = '[]' AND NEW.recordings = '[]' AND NEW.decisions = '[]' AND current_setting('app.archiving', true) IS DISTINCT FROM 'on')",
                    func="\n                    SELECT (\n    SELECT coalesce(\n        jsonb_agg(to_jsonb(p) - ARRAY['phone_id', 'call_sid'] ORDER BY p.leg_sid), '[]')\n    FROM public.call_legs p WHERE (p.phone_id, p.call_sid) = (NEW.phone_id, NEW.call_sid)\n), (\n    SELECT coalesce(\n        jsonb_agg(to_jsonb(p) - ARRAY['phone_id', 'call_sid'] ORDER BY p.recording_sid), '[]')\n    FROM public.call_recordings p WHERE (p.phone_id, p.call_sid) = (NEW.phone_id, NEW.call_sid)\n), (\n    SELECT coalesce(\n        jsonb_agg(to_jsonb(p) - ARRAY['phone_id', 'call_sid'] ORDER BY p.created_at, p.digest), '[]')\n    FROM public.call_decisions p WHERE (p.phone_id, p.call_sid) = (NEW.phone_id, replace(NEW.call_sid, app.claimed_sid('', NEW.phone_id), ''))\n)\n                    INTO NEW.legs, NEW.recordings, NEW.decisions;\n                    RETURN NEW;\n                ",
                    operation="INSERT",
                    pgid="calls_archive_keeps_parts",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_hold_keeps_evidence",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.legal_hold AND (to_jsonb(OLD) - '{legal_hold,updated_at,recording_url,legs,recordings,decisions}'::text[] IS DISTINCT FROM to_jsonb(NEW) - '{legal_hold,updated_at,recording_url,legs,recordings,decisions}'::text[] OR (OLD.recording_url IS NOT NULL AND OLD.recording_url IS DISTINCT FROM NEW.recording_url) OR NOT app.keeps_parts(NULL::public.call_legs, OLD.legs, NEW.legs) OR NOT app.keeps_parts(NULL::public.call_recordings, OLD.recordings, NEW.recordings) OR NOT app.keeps_parts(NULL::public.call_decisions, OLD.decisions, NEW.decisions)))",
                    func="RAISE EXCEPTION 'The call is under legal hold: what is known of it cannot be changed or deleted until staff release the hold.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_archive_hold_keeps_evidence",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
    ]
