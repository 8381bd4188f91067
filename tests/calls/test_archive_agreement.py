"""The archiver refuses what it could not carry whole, and says which migration to write."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections, models, transaction
from django.db.migrations.state import ProjectState
from django.test.utils import isolate_apps

from calls.archival import checks, month_locks, operations
from calls.archival.operations import ReorderArchiveColumns
from tests.calls.archive import everything, make_old_calls, query
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
    assert "ReorderArchiveColumns()" in error.hint


def test_a_column_that_the_archive_lacks_stops_the_archiver(changed_schema: list[str]) -> None:
    changed_schema.append("ALTER TABLE calls DROP COLUMN language")
    owner("ALTER TABLE calls ADD COLUMN language text")
    with pytest.raises(CommandError, match=r"lacks the column language text(.|\n)*AddField"):
        call_command("archive_calls")


def test_a_column_of_another_type_stops_the_archiver(changed_schema: list[str]) -> None:
    changed_schema.append("ALTER TABLE calls_archive ALTER duration TYPE integer")
    owner("ALTER TABLE calls_archive ALTER duration TYPE bigint")
    with pytest.raises(CommandError, match="duration integer, calls_archive has duration bigint"):
        call_command("archive_calls")


def test_a_table_that_hangs_on_calls_unknown_stops_the_archiver(
    changed_schema: list[str],
) -> None:
    changed_schema.append("DROP TABLE call_notes")
    owner("CREATE TABLE call_notes (call_id uuid REFERENCES calls ON DELETE CASCADE)")
    with pytest.raises(CommandError, match="does not know them: call_notes"):
        call_command("archive_calls")


def test_an_unknown_column_of_the_metadata_stops_the_archiver(changed_schema: list[str]) -> None:
    changed_schema.append("ALTER TABLE call_metadata DROP COLUMN language")
    owner("ALTER TABLE call_metadata ADD COLUMN language text")
    with pytest.raises(CommandError, match="does not know call_metadata as it is: language"):
        call_command("archive_calls")


PROPERTIES = """
SELECT 'column', a.attname || format_type(a.atttypid, a.atttypmod) || a.attnotnull
    || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || a.attcollation
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = 'calls_archive'::regclass AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT 'constraint', conname || pg_get_constraintdef(oid) || convalidated
FROM pg_constraint WHERE conrelid = 'calls_archive'::regclass AND contype <> 'n'
UNION ALL SELECT 'index', pg_get_indexdef(indexrelid) || indisvalid
FROM pg_index WHERE indrelid = 'calls_archive'::regclass
UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) || obj_description(oid, 'pg_trigger')
FROM pg_trigger WHERE tgrelid = 'calls_archive'::regclass AND NOT tgisinternal
UNION ALL SELECT 'policy', policyname || permissive || cmd || roles::text || qual || with_check
FROM pg_policies WHERE tablename = 'calls_archive'
UNION ALL SELECT 'flags', relrowsecurity || '' || relforcerowsecurity
FROM pg_class WHERE oid = 'calls_archive'::regclass
UNION ALL SELECT 'grants', relacl::text FROM pg_class WHERE oid = 'calls_archive'::regclass
UNION ALL SELECT 'partition', inhrelid::regclass || pg_get_expr(relpartbound, oid)
FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'calls_archive'::regclass
"""
INDEXES = """
SELECT indexrelid::regclass::text, indexrelid, indisvalid FROM pg_index
WHERE indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'calls_archive'::regclass)
"""


def test_the_recipe_keeps_the_order_and_everything_else(committed: None) -> None:
    """In one transaction of the owner, undone at the end."""
    line = make_line()
    make_old_calls(line, 2_000)
    call_command("archive_calls", "--before=2024-01-01", "--limit=1900")
    before = everything()
    with transaction.atomic(using="owner"):
        properties, indexes = set(owner(PROPERTIES)), set(owner(INDEXES))
        assert len(indexes) == 12  # two months, six indexes
        with connections["owner"].schema_editor() as editor:
            for table in ("calls", "calls_archive"):
                editor.execute(f"ALTER TABLE {table} ADD COLUMN language text DEFAULT 'en'")
            state = ProjectState()
            ReorderArchiveColumns().database_forwards("calls", editor, state, state)
        assert set(owner(INDEXES)) == indexes  # none was built again
        changed = properties ^ set(owner(PROPERTIES))
        assert {kind for kind, _ in changed} == {"column"}
        order = [
            [name for (name,) in owner(COLUMN_ORDER.format(table=table))]
            for table in ("calls", "calls_archive")
        ]
        assert order[1][: len(order[0])] == order[0]
        # Partitions of another physical order take the document's statement as it stands.
        owner(
            "WITH archived_calls AS (DELETE FROM calls WHERE created_at < NOW() - INTERVAL"
            " '1 year' RETURNING *) INSERT INTO calls_archive SELECT * FROM archived_calls"
        )
        assert owner(
            "SELECT count(*), min(language), min(cardinality(tags)) FROM calls_archive"
            " WHERE metadata_created_at IS NOT NULL"
        ) == [(1500, "en", 2)]
        transaction.set_rollback(True, using="owner")
    assert everything() == before


COLUMN_ORDER = """
SELECT attname FROM pg_attribute
WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


def test_the_recipe_gives_way_until_it_gets_every_lock(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = ProjectState()
    held = """
    SELECT count(*) FROM pg_locks l JOIN pg_stat_activity USING (pid)
    WHERE mode = 'AccessExclusiveLock'
        AND relation IN ('calls'::regclass, 'calls_archive'::regclass)
    """
    seen: list[list[tuple[Any, ...]]] = []
    with ExitStack() as reader, transaction.atomic(using="owner"):
        reader.enter_context(transaction.atomic())
        query("SELECT count(*) FROM calls")  # a long read

        def pause(seconds: float) -> None:
            seen.append(query(held))
            if len(seen) == 2:
                reader.close()

        monkeypatch.setattr("calls.archival.month_locks.time.sleep", pause)
        with connections["owner"].schema_editor() as editor:
            operations.LockCalls().database_forwards("calls", editor, state, state)
            assert seen == [[(0,)], [(0,)]]
            assert query(held) == [(2,)]
        transaction.set_rollback(True, using="owner")


def test_the_recipe_gives_up_at_last(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    state = ProjectState()
    monkeypatch.setattr(month_locks, "TRIES", 2)
    monkeypatch.setattr(month_locks, "PAUSE", 0)
    with transaction.atomic():
        query("SELECT count(*) FROM calls")
        with (
            pytest.raises(OperationalError, match="lock timeout"),
            connections["owner"].schema_editor() as editor,
        ):
            ReorderArchiveColumns().database_backwards("calls", editor, state, state)
