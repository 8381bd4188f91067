"""The archiver refuses what it could not carry whole, and says which migration to write."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, models
from django.test.utils import isolate_apps

from calls.archival import checks
from tests.calls.archive import make_old_calls, query
from tests.factories import make_line


def owner(sql: str) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def changed_schema(committed: None) -> Iterator[list[str]]:
    """Append to the list what undoes a change of the schema."""
    undo: list[str] = []
    yield undo
    for sql in undo:
        owner(sql)


def test_the_models_agree(db: None) -> None:
    assert checks.check_archive_columns() == []


def test_a_field_that_the_archive_lacks_is_an_error_with_its_migration() -> None:
    with isolate_apps("calls"):

        class Live(models.Model):  # noqa: DJ008
            language = models.TextField(null=True)

            class Meta:
                app_label = "calls"

        class Archive(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "calls"

        [error] = checks.compare(Live, Archive)
    assert "lacks the column language text" in error.msg
    assert error.hint is not None
    assert (
        'migrations.AddField("callarchive", "language", models.TextField(null=True))' in error.hint
    )
    assert 'migrations.AddField("call", "language"' in error.hint


def test_a_column_that_the_archive_lacks_stops_the_archiver(changed_schema: list[str]) -> None:
    changed_schema.append("ALTER TABLE calls DROP COLUMN language")
    owner("ALTER TABLE calls ADD COLUMN language text")
    with pytest.raises(CommandError, match=r"lacks the column language text(.|\n)*AddField"):
        call_command("archive_calls")


def test_a_column_of_another_type_stops_the_archiver(changed_schema: list[str]) -> None:
    changed_schema.append("ALTER TABLE calls_archive ALTER ai_confidence TYPE numeric(3,2)")
    owner("ALTER TABLE calls_archive ALTER ai_confidence TYPE numeric(4,2)")
    with pytest.raises(
        CommandError,
        match=r"ai_confidence numeric\(3,2\), calls_archive has ai_confidence numeric\(4,2\)",
    ):
        call_command("archive_calls")


def test_a_table_that_hangs_on_calls_unknown_stops_the_archiver(
    changed_schema: list[str],
) -> None:
    changed_schema.append("DROP TABLE call_notes")
    owner("CREATE TABLE call_notes (call_id uuid REFERENCES calls ON DELETE CASCADE)")
    with pytest.raises(CommandError, match="reference calls: call_notes"):
        call_command("archive_calls")


def test_an_unknown_column_of_the_metadata_stops_the_archiver(changed_schema: list[str]) -> None:
    changed_schema.append("ALTER TABLE call_metadata DROP COLUMN language")
    owner("ALTER TABLE call_metadata ADD COLUMN language text")
    with pytest.raises(CommandError, match="in the columns language"):
        call_command("archive_calls")


def test_a_new_column_is_archived_and_restored_wherever_it_stands(
    changed_schema: list[str],
) -> None:
    line = make_line()
    make_old_calls(line, 3)
    for table in ("calls", "calls_archive"):
        changed_schema.append(f"ALTER TABLE {table} DROP COLUMN language")
        owner(f"ALTER TABLE {table} ADD COLUMN language text DEFAULT 'en'")
    query("UPDATE calls SET language = 'de'")
    call_command("archive_calls", "--before=2024-01-01")
    assert query("SELECT count(*), min(language) FROM calls_archive") == [(3, "de")]
    call_command("restore_calls", f"--phone-id={line.pk}", "--from=2000-01-01", "--to=2024-01-01")
    assert query("SELECT count(*), min(language) FROM calls") == [(3, "de")]
