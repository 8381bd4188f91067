"""The SQL of a migration, step by step, with or without a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations import Migration, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from psycopg import sql

from database.safe_migrations.script import statements

OLDEST = 15_00_00  # the PostgreSQL whose SQL the lint reads


class NeedsDatabase(Exception):
    """The operation asks the database, which is not there."""


@dataclass(frozen=True)
class Step:
    """An operation and what it sends; None stands for what Django puts off to the end."""

    operation: Operation | None
    statements: list[str]

    @property
    def is_python(self) -> bool:
        return self.operation is not None and not self.operation.reduces_to_sql


def steps(migration: Migration, state: ProjectState, connection: Any) -> list[Step]:
    """What the migration would do; `state`, the models before it, becomes the state after it."""
    found = []
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        collected = editor.collected_sql
        for operation, before, after in _operations(migration, state):
            sent = len(collected)
            if operation.reduces_to_sql:
                operation.database_forwards(migration.app_label, editor, before, after)
            found.append(Step(operation, _statements(collected[sent:])))
        sent = len(collected)
    found.append(Step(None, _statements(collected[sent:])))
    return found


def _operations(
    migration: Migration, state: ProjectState
) -> Iterator[tuple[Operation, ProjectState, ProjectState]]:
    """Each operation on the database with the models before and after it."""
    for operation in migration.operations:
        before = state.clone()
        parts = (
            operation.database_operations
            if isinstance(operation, SeparateDatabaseAndState)
            else [operation]
        )
        for part in parts:
            after = before.clone()
            part.state_forwards(migration.app_label, after)
            yield part, before, after
            before = after
        operation.state_forwards(migration.app_label, state)


def _statements(collected: list[Any]) -> list[str]:
    return [one for line in collected for one in statements(str(line))]


class _Editor(DatabaseSchemaEditor):
    """Django's own quotes values in the way of the server that it is connected to."""

    def execute(self, statement: Any, params: Any = ()) -> None:
        if params:
            statement = str(statement) % tuple(self.quote_value(value) for value in params)
        super().execute(str(statement), None)

    def quote_value(self, value: Any) -> str:
        return sql.quote(value)


class _NoDatabase(DatabaseWrapper):
    """A connection that collects SQL, and on which a transaction is nothing."""

    SchemaEditorClass = _Editor
    pg_version = OLDEST

    def __init__(self) -> None:
        super().__init__({"TIME_ZONE": None, "OPTIONS": {}}, alias="owner")
        self.autocommit = True

    def ensure_connection(self) -> None:
        pass

    def _set_autocommit(self, autocommit: bool) -> None:
        pass

    def create_cursor(self, name: str | None = None) -> NoReturn:
        raise NeedsDatabase


@contextmanager
def no_database() -> Iterator[DatabaseWrapper]:
    """Stands in for the owner's connection, which some operations look up by its name."""
    real = connections["owner"]
    connections["owner"] = stand_in = _NoDatabase()
    try:
        yield stand_in
    finally:
        connections["owner"] = real
