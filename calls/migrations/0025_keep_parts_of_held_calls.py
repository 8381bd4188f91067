"""Of a held call's legs and recordings each keeps what was known of it."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0024_legs_of_files"),
    ]

    operations = [
        LoadFunction("calls", "recording_progress"),
        LoadFunction("calls", "keeps_parts"),
        LoadFunction("calls", "is_held"),
        LoadFunction("calls", "merged_call_leg", again=True),
        LoadFunction("calls", "keep_call_recording", again=True),
        LoadFunction("calls", "refuse_delete_under_hold", again=True),
        pgtrigger.migrations.RemoveTrigger(
            model_name="callarchive",
            name="calls_archive_hold_keeps_evidence",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="callleg",
            name="call_legs_hold_keeps_evidence",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="callrecording",
            name="call_recordings_hold_keeps_evidence",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_hold_keeps_evidence",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (OLD.legal_hold AND (to_jsonb(OLD) - '{legal_hold,updated_at,recording_url,legs,recordings}'::text[] IS DISTINCT FROM to_jsonb(NEW) - '{legal_hold,updated_at,recording_url,legs,recordings}'::text[] OR (OLD.recording_url IS NOT NULL AND OLD.recording_url IS DISTINCT FROM NEW.recording_url) OR NOT app.keeps_parts(NULL::public.call_legs, OLD.legs, NEW.legs) OR NOT app.keeps_parts(NULL::public.call_recordings, OLD.recordings, NEW.recordings)))",
                    func="RAISE EXCEPTION 'The call is under legal hold: what is known of it cannot be changed or deleted until staff release the hold.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;",
                    operation="UPDATE",
                    pgid="calls_archive_hold_keeps_evidence",
                    table="calls_archive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callleg",
            trigger=database.triggers.CompiledTrigger(
                name="call_legs_hold_keeps_evidence",
                sql=database.triggers.SharedFunctionSql(
                    condition='WHEN ((OLD.phone_id IS NOT NULL AND OLD.phone_id IS DISTINCT FROM NEW.phone_id OR OLD.call_sid IS NOT NULL AND OLD.call_sid IS DISTINCT FROM NEW.call_sid OR OLD.leg_sid IS NOT NULL AND OLD.leg_sid IS DISTINCT FROM NEW.leg_sid OR OLD.direction IS NOT NULL AND OLD.direction IS DISTINCT FROM NEW.direction OR OLD."to" IS NOT NULL AND OLD."to" IS DISTINCT FROM NEW."to" OR OLD.duration IS NOT NULL AND OLD.duration IS DISTINCT FROM NEW.duration OR OLD.started_at IS NOT NULL AND OLD.started_at IS DISTINCT FROM NEW.started_at OR OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at) OR (OLD.status IS DISTINCT FROM NEW.status AND app.leg_progress(NEW.status) <= app.leg_progress(OLD.status)))',
                    func="app.refuse_change_of_held_part",
                    operation="UPDATE",
                    pgid="call_legs_hold_keeps_evidence",
                    table="call_legs",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callrecording",
            trigger=database.triggers.CompiledTrigger(
                name="call_recordings_hold_keeps_evidence",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN ((OLD.phone_id IS NOT NULL AND OLD.phone_id IS DISTINCT FROM NEW.phone_id OR OLD.call_sid IS NOT NULL AND OLD.call_sid IS DISTINCT FROM NEW.call_sid OR OLD.recording_sid IS NOT NULL AND OLD.recording_sid IS DISTINCT FROM NEW.recording_sid OR OLD.url IS NOT NULL AND OLD.url IS DISTINCT FROM NEW.url OR OLD.duration IS NOT NULL AND OLD.duration IS DISTINCT FROM NEW.duration OR OLD.channels IS NOT NULL AND OLD.channels IS DISTINCT FROM NEW.channels OR OLD.source IS NOT NULL AND OLD.source IS DISTINCT FROM NEW.source OR OLD.started IS NOT NULL AND OLD.started IS DISTINCT FROM NEW.started) OR (OLD.state IS DISTINCT FROM NEW.state AND app.recording_progress(NEW.state) <= app.recording_progress(OLD.state)))",
                    func="app.refuse_change_of_held_part",
                    operation="UPDATE",
                    pgid="call_recordings_hold_keeps_evidence",
                    table="call_recordings",
                    when="BEFORE",
                ),
            ),
        ),
    ]
