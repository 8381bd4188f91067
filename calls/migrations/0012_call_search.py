"""The words of each call, for full-text search; kept by triggers that only a change of text fires.

A table of its own rather than a column: nothing of `calls` is rewritten, its rows stay narrow, the
archive keeps the columns of `calls`, and a status update writes no GIN entry.
"""

import django.contrib.postgres.search
import django.db.models.deletion
import pgtrigger.migrations
from django.db import migrations, models

import database.triggers
import tenancy.constraints
import tenancy.models

# A tsvector holds less than 1 MiB: whatever is said in 200,000 characters (some three hours) fits,
# and what comes after is not found rather than the call not saved.
DOCUMENT = """
CREATE FUNCTION app.call_document(transcript text, ai_summary text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('app.words',
        left(coalesce(ai_summary, '') || E'\\n' || coalesce(transcript, ''), 200000))
$$;
"""
# It writes as staff what no tenant may write, and only ever for the row that fired it.
INDEX_WORDS = """
CREATE FUNCTION app.index_call_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.call_search (call_id, phone_id, document)
    VALUES (NEW.id, NEW.phone_id, app.call_document(NEW.transcript, NEW.ai_summary))
    ON CONFLICT (call_id) DO UPDATE SET document = EXCLUDED.document;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.index_call_words() FROM PUBLIC;
GRANT CREATE ON SCHEMA app TO replytics_staff;
ALTER FUNCTION app.index_call_words() OWNER TO replytics_staff;
REVOKE CREATE ON SCHEMA app FROM replytics_staff;
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0011_search_words")]

    operations = [
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
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=tenancy.models.line_in_scope,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.phonenumber",
                        verbose_name="line",
                    ),
                ),
                ("document", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "verbose_name": "words of calls",
                "verbose_name_plural": "words of calls",
                "db_table": "call_search",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_callsearch_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_callsearch_line"),
                    tenancy.constraints.CascadeForeignKey(
                        column="call_id", name="call_search_call", references="calls"
                    ),
                ],
            },
        ),
        migrations.RunSQL(DOCUMENT, "DROP FUNCTION app.call_document(text, text)"),
        migrations.RunSQL(INDEX_WORDS, "DROP FUNCTION app.index_call_words()"),
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
    ]
