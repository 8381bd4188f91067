"""An archived call has its words however it came there, and takes them along."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers

NOT_MOVED = (
    "WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on'"
    " OR current_user <> 'replytics_staff')"
)


class Migration(migrations.Migration):
    dependencies = [("calls", "0061_words_outlive_the_live_call")]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_index_words",
                sql=database.triggers.SharedFunctionSql(
                    condition=NOT_MOVED,
                    func="app.index_archived_words",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="calls_archive_index_words",
                    referencing="REFERENCING NEW TABLE AS added ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_index_changed_words",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.transcript IS DISTINCT FROM NEW.transcript OR OLD.ai_summary IS DISTINCT FROM NEW.ai_summary)",
                    func="app.index_call_words",
                    operation='UPDATE OF "transcript", "ai_summary"',
                    pgid="calls_archive_index_changed_words",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_forgets_words",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_archive_forgets_words",
                    referencing="REFERENCING OLD TABLE AS removed ",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_forgets_all_words",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_archive_forgets_all_words",
                    table="calls_archive",
                    when="AFTER",
                ),
            ),
        ),
    ]
