"""The database has exactly what the schema document creates, but for the listed differences."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.utils import CursorWrapper

from tests.schema import catalog
from tests.schema.catalog import Facts
from tests.schema.differences import DIFFERENCES

pytestmark = pytest.mark.django_db(databases=["owner"])

DOCUMENT = Path(__file__).with_name("document.sql").read_text()
COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


@pytest.fixture
def owner(db: None) -> Iterator[CursorWrapper]:
    """The owner's cursor, with the document's objects in schema document; all rolled back."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE SCHEMA document; SET LOCAL search_path = document")
        cursor.execute(DOCUMENT)
        yield cursor


def read_both(cursor: CursorWrapper) -> tuple[Facts, Facts]:
    """The document's facts and ours, of the document's tables."""
    tables = catalog.tables_in(cursor, "document")
    document = catalog.read(cursor, "document", tables=tables)
    ours = catalog.read(cursor, "public", tables=tables)
    return document, ours | catalog.read(cursor, "mv", tables=tables)


def compare(document: Facts, ours: Facts) -> list[str]:
    """One line per unlisted difference, and per listed one that is none any more."""
    found = {
        name: (document.get(name), ours.get(name))
        for name in document.keys() | ours.keys()
        if document.get(name) != ours.get(name)
    }
    listed = {name: values for objects in DIFFERENCES.values() for name, values in objects.items()}
    return [
        f"{name}: the document has {found[name][0]}, we have {found[name][1]}"
        for name in sorted(found)
        if listed.get(name) != found[name]
    ] + [f"{name}: listed as different, but it is not" for name in sorted(listed.keys() - found)]


def test_catalog_equals_the_documents(
    owner: CursorWrapper, record_figures: Callable[[str], None]
) -> None:
    document, ours = read_both(owner)
    assert compare(document, ours) == []
    kinds = Counter(name.rpartition(" ")[0] for name in document.keys() | ours.keys())
    record_figures(
        f"catalog: {kinds['table']} tables, {kinds['materialized view']} materialized view,"
        f" {kinds['column']} columns, {kinds['constraint']} constraints, {kinds['index']} indexes,"
        f" {kinds['trigger']} triggers, {kinds['function']} function compared;"
        f" {sum(map(len, DIFFERENCES.values()))} deliberate differences"
    )


def test_columns_stand_in_the_documents_order(owner: CursorWrapper) -> None:
    for table in catalog.tables_in(owner, "document"):
        columns = []
        for schema in ("document", "public"):
            owner.execute(COLUMNS, [f"{schema}.{table}"])
            columns.append([name for (name,) in owner.fetchall()])
        document, ours = columns
        assert [name for name in ours if name in document] == document, table


def test_archive_begins_with_the_columns_of_calls(owner: CursorWrapper) -> None:
    owner.execute(COLUMNS, ["public.calls"])
    calls = owner.fetchall()
    owner.execute(COLUMNS, ["public.calls_archive"])
    assert owner.fetchall()[: len(calls)] == calls


@pytest.mark.parametrize(
    ("mutation", "reported"),
    [
        ("DROP INDEX idx_calls_status", "index calls.idx_calls_status"),
        (
            "DROP INDEX idx_active_calls; CREATE INDEX idx_active_calls ON calls"
            " (phone_id, created_at DESC) WHERE status IN ('ringing')",
            "index calls.idx_active_calls",
        ),
        (
            "DROP INDEX idx_calls_created_at; CREATE INDEX idx_calls_created_at"
            " ON calls (created_at)",
            "index calls.idx_calls_created_at",
        ),
        (
            "DROP INDEX idx_calls_created_brin; CREATE INDEX idx_calls_created_brin"
            " ON calls (created_at)",
            "index calls.idx_calls_created_brin",
        ),
        ("ALTER INDEX idx_call_tags RENAME TO idx_tags", "index call_metadata.idx_call_tags"),
        ("CREATE INDEX extra ON calls (duration)", "index calls.extra"),
        ("ALTER TABLE calls ALTER duration SET DEFAULT 1", "column calls.duration"),
        ("ALTER TABLE calls ALTER updated_at DROP DEFAULT", "column calls.updated_at"),
        ("ALTER TABLE calls ALTER call_sid DROP NOT NULL", "column calls.call_sid"),
        ("ALTER TABLE calls ALTER transcript SET NOT NULL", "column calls.transcript"),
        (
            "ALTER TABLE voice_settings ALTER voice_name TYPE varchar(50)",
            "column voice_settings.voice_name",
        ),
        (
            'ALTER TABLE phone_numbers ALTER business_name TYPE text COLLATE "C"',
            "column phone_numbers.business_name",
        ),
        ("ALTER TABLE calls ADD extra text", "column calls.extra"),
        ("ALTER TABLE voice_settings DROP voice_name", "column voice_settings.voice_name"),
        (
            "ALTER TABLE voice_settings DROP CONSTRAINT voice_settings_phone_id_key",
            "constraint voice_settings.voice_settings_phone_id_key",
        ),
        (
            "ALTER TABLE calls DROP CONSTRAINT calls_status_check, ADD CONSTRAINT"
            " calls_status_check CHECK (status IN ('ringing', 'answered', 'completed'))",
            "constraint calls.calls_status_check",
        ),
        (
            "ALTER TABLE calls DROP CONSTRAINT check_duration_positive, ADD CONSTRAINT"
            " check_duration_positive CHECK (duration >= 0) NOT VALID",
            "constraint calls.check_duration_positive",
        ),
        (
            "ALTER TABLE business_hours DROP CONSTRAINT business_hours_phone_id_fkey,"
            " ADD CONSTRAINT business_hours_phone_id_fkey FOREIGN KEY (phone_id)"
            " REFERENCES phone_numbers",
            "constraint business_hours.business_hours_phone_id_fkey",
        ),
        (
            "DROP TRIGGER update_calls_updated_at ON calls",
            "trigger calls.update_calls_updated_at",
        ),
        (
            "ALTER TABLE calls DISABLE TRIGGER update_calls_updated_at",
            "trigger calls.update_calls_updated_at",
        ),
        (
            "CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger"
            " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "function update_updated_at_column()",
        ),
        (
            "DROP INDEX mv.phone_performance_summary_phone_id_idx",
            "index phone_performance_summary.phone_performance_summary_phone_id_idx",
        ),
        (
            "DROP MATERIALIZED VIEW mv.phone_performance_summary CASCADE;"
            " CREATE MATERIALIZED VIEW mv.phone_performance_summary AS SELECT phone_id,"
            " COUNT(*) AS total_calls FROM calls GROUP BY phone_id",
            "materialized view phone_performance_summary",
        ),
        ("DROP TABLE daily_call_stats CASCADE", "table daily_call_stats"),
        # The listed difference is gone: the list must say so too.
        ("DROP INDEX idx_daily_stats_date", "index daily_call_stats.idx_daily_stats_date"),
        ("ALTER TABLE calls ALTER duration DROP NOT NULL", "column calls.duration"),
    ],
)
def test_comparison_reports_a_change(owner: CursorWrapper, mutation: str, reported: str) -> None:
    owner.execute("SET LOCAL search_path = public")
    owner.execute(mutation)
    assert any(line.startswith(f"{reported}:") for line in compare(*read_both(owner)))
