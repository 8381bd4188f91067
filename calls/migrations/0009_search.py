"""Search by words, tags, metadata and custom fields, inside one line, live and archived.

The words stand in a table of their own rather than a column: the rows of calls stay narrow, the
archive keeps the columns of calls, and a status update writes no GIN entry. Each index begins with
the line, so that a search reads no other line's entries.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models
from database.operations import LoadFunction

# How words are told apart: unaccented, in lower case, in no language. Lines answer in any language,
# and a transcript may mix two: a stemmer of one language would mangle the others, so words are kept
# whole. unaccent lets "jose" find "José"; it is named where its extension lives: not always in public.
WORDS = """
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE TEXT SEARCH CONFIGURATION app.words (COPY = pg_catalog.simple);
DO $$
BEGIN
    EXECUTE format(
        'ALTER TEXT SEARCH CONFIGURATION app.words'
        ' ALTER MAPPING FOR hword, hword_part, word WITH %I.unaccent, pg_catalog.simple',
        (SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
         WHERE extname = 'unaccent'));
END
$$;
"""
# The extensions stay: others may have come to use them.
DROP_WORDS = "DROP TEXT SEARCH CONFIGURATION app.words"


class Migration(migrations.Migration):
    dependencies = [("calls", "0008_archive")]

    operations = [
        migrations.RunSQL(WORDS, DROP_WORDS),
        migrations.CreateModel(
            name="CallSearch",
            fields=[
                (
                    "call",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="calls.call",
                    ),
                ),
                ("phone", tenancy.models.TenantForeignKey(related_name="+")),
                ("document", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "verbose_name": "words of calls",
                "verbose_name_plural": "words of calls",
                "db_table": "call_search",
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["phone", "document"], name="idx_call_search_words"
                    )
                ],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_callsearch_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_callsearch_line"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="callmetadata",
            index=django.contrib.postgres.indexes.GinIndex(
                models.F("phone"),
                models.F("tags"),
                django.contrib.postgres.indexes.OpClass("metadata", name="jsonb_path_ops"),
                django.contrib.postgres.indexes.OpClass("custom_fields", name="jsonb_path_ops"),
                name="idx_call_metadata_search",
            ),
        ),
        # Few pending entries, since whichever batch fills them up waits until they are merged.
        migrations.AddIndex(
            model_name="callarchive",
            index=django.contrib.postgres.indexes.GinIndex(
                models.F("phone"),
                models.F("tags"),
                django.contrib.postgres.indexes.OpClass("metadata", name="jsonb_path_ops"),
                django.contrib.postgres.indexes.OpClass("custom_fields", name="jsonb_path_ops"),
                gin_pending_list_limit=256,
                name="idx_archive_search",
            ),
        ),
        LoadFunction("calls", "call_document"),
        LoadFunction("calls", "index_call_words"),
        LoadFunction("calls", "index_archived_words"),
        LoadFunction("calls", "forget_words"),
        LoadFunction("calls", "top_calls"),
        LoadFunction("calls", "top_archived_calls"),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_index_words",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (NEW.transcript IS NOT NULL OR NEW.ai_summary IS NOT NULL)",
                    func="app.index_call_words",
                    operation="INSERT",
                    pgid="calls_index_words",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_index_changed_words",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (OLD.transcript IS DISTINCT FROM NEW.transcript OR OLD.ai_summary IS DISTINCT FROM NEW.ai_summary)",
                    func="app.index_call_words",
                    operation='UPDATE OF "transcript", "ai_summary"',
                    pgid="calls_index_changed_words",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_forget_words",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on' OR current_user <> 'replytics_staff')",
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="calls_forget_words",
                    referencing="REFERENCING OLD TABLE AS removed ",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=database.triggers.CompiledTrigger(
                name="calls_forget_all_words",
                sql=database.triggers.SharedFunctionSql(
                    func="app.forget_words",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="calls_forget_all_words",
                    table="calls",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callarchive",
            trigger=database.triggers.CompiledTrigger(
                name="calls_archive_index_words",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on' OR current_user <> 'replytics_staff')",
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
        # Of columns that the examples before added.
        migrations.AddConstraint(
            model_name="call",
            constraint=tenancy.constraints.ApiRights(
                name="calls_call_api",
                rights=(
                    "SELECT, INSERT, UPDATE (caller_number, status, provider_status, "
                    "duration, recording_url, transcript, ai_summary, ai_confidence, "
                    "created_at)"
                ),
            ),
        ),
    ]
