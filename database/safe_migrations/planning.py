"""The unapplied migrations: their SQL, their tables, and what existing rows make fail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlparse
from django.db import OperationalError, ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.migrations import Migration, SeparateDatabaseAndState
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from psycopg import errors

from database.safe_migrations.blockers import blockers_of, tables_in

PYTHON = "-- THIS OPERATION CANNOT BE WRITTEN AS SQL"  # as sqlmigrate shows it
NAME = r'(?:"[^"]+"|\w+)'
TABLE = rf"(?P<table>{NAME}(?:\.{NAME})?)"
ALTER = rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{TABLE} "
COLUMN = rf"(?P<column>{NAME})"
COLUMNS = r"\((?P<columns>[^)]*)\)"
ADD = rf"{ALTER}ADD (?:CONSTRAINT {NAME} )?"
DUPLICATES = (
    "SELECT {columns} FROM {table} WHERE num_nulls({columns}) = 0 AND {condition}"
    " GROUP BY {columns} HAVING count(*) > 1"
)
# Statements, why they fail on existing rows, and the query for those rows.
ROW_CHECKS = [
    (re.compile(pattern, re.I), reason, query)
    for pattern, reason, query in (
        (rf"{ALTER}ADD (?:COLUMN )?(?!(?:CONSTRAINT|CHECK|UNIQUE|FOREIGN|EXCLUDE)\b){COLUMN}"
         r" (?!.*\b(?:DEFAULT|GENERATED|\w*SERIAL)\b).*\b(?:NOT NULL|PRIMARY KEY)\b",
         "rows, and the new column is NOT NULL without a default", "SELECT * FROM {table}"),
        (rf"{ALTER}ALTER (?:COLUMN )?{COLUMN} SET NOT NULL",
         "rows with NULL", "SELECT * FROM {table} WHERE {column} IS NULL"),
        (rf"{ADD}CHECK \((?P<condition>.*)\)(?: NO INHERIT)?$",
         "rows that violate the CHECK", "SELECT * FROM {table} WHERE NOT ({condition})"),
        (rf"{ADD}(?:UNIQUE|PRIMARY KEY) {COLUMNS}", "duplicates", DUPLICATES),
        (rf"CREATE UNIQUE INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?(?:\S+ )?ON {TABLE}"
         r"(?: USING \w+)? ?\((?P<columns>.*?)\)(?: WHERE (?P<condition>.*))?$",
         "duplicates", DUPLICATES),
        (rf"{ADD}FOREIGN KEY {COLUMNS} REFERENCES (?P<other>[^ (]+) ?\((?P<keys>[^)]*)\)",
         "rows that reference nothing", "SELECT {columns} FROM {table}"
         " WHERE num_nulls({columns}) = 0 EXCEPT SELECT {keys} FROM {other}"),
    )
]  # fmt: skip
CHANGES_ROWS = re.compile(rf"(?:UPDATE|DELETE FROM|INSERT INTO) {TABLE}", re.I)
NOT_VALID = re.compile(rf"({ALTER}ADD CONSTRAINT (?P<name>{NAME}) .*) NOT VALID$", re.I)
VALIDATE = re.compile(rf"{ALTER}VALIDATE CONSTRAINT (?P<name>{NAME})", re.I)
DEFINITION = """
SELECT format('ALTER TABLE %%s ADD %%s', conrelid::regclass,
    replace(pg_get_constraintdef(oid), ' NOT VALID', ''))
FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s
"""


@dataclass(frozen=True)
class PlannedMigration:
    """A pending migration, and the state of the database that matters to it."""

    migration: Migration
    sql: str
    tables: list[str]
    blockers: list[str]
    failures: list[str]  # existing rows make it fail
    warnings: list[str]  # they may


def collect_sql(migration: Migration, state: ProjectState, connection: BaseDatabaseWrapper) -> str:
    """What sqlmigrate shows; `state`, the models before it, becomes the state after it.

    Raises ValueError when that depends on the tables in the database, or would run Python.
    """
    for operation in migration.operations:
        if isinstance(operation, SeparateDatabaseAndState) and not all(
            part.reduces_to_sql for part in operation.database_operations
        ):
            raise ValueError(f"{migration} runs Python inside of SeparateDatabaseAndState")
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    return "\n".join(map(str, editor.collected_sql))


def statements_of(sql: str) -> Iterator[tuple[str, bool]]:
    """Each statement without comments, and whether Python runs before it."""
    for statement in sqlparse.split(sql, strip_semicolon=True):
        if stripped := sqlparse.format(statement, strip_comments=True).strip():
            yield stripped, PYTHON in statement


def plan(
    connection: BaseDatabaseWrapper, *, app_label: str = "", min_age: float
) -> Iterator[PlannedMigration]:
    """Every unapplied migration; transactions older than min_age seconds count as blockers."""
    executor = MigrationExecutor(connection)
    leaves = [key for key in executor.loader.graph.leaf_nodes() if app_label in {"", key[0]}]
    state = executor.loader.project_state(list(executor.loader.applied_migrations))
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1s'; SET statement_timeout = '60s'")
        rows = ExistingRows(cursor)
        for migration, _ in executor.migration_plan(leaves):
            sql = collect_sql(migration, state, connection)
            problems = list(rows.problems(sql))
            yield PlannedMigration(
                migration,
                sql,
                tables=[*tables_in(cursor, sql)],
                blockers=blockers_of(cursor, sql, min_age=min_age),
                failures=[sentence for is_certain, sentence in problems if is_certain],
                warnings=[sentence for is_certain, sentence in problems if not is_certain],
            )
        cursor.execute("RESET lock_timeout; RESET statement_timeout")


@dataclass
class ExistingRows:
    """Finds the statements of a plan, in their order, that fail on the rows of today."""

    cursor: CursorWrapper
    changed: set[str] = field(default_factory=set)  # tables whose rows the plan itself changes
    runs_python: bool = False  # which may change the rows of any table
    not_valid: dict[str, str] = field(default_factory=dict)  # ADD CONSTRAINT by its name

    def problems(self, sql: str) -> Iterator[tuple[bool, str]]:
        """Sentences, each with whether it is certain."""
        for statement, python in statements_of(sql):
            self.runs_python |= python
            for action in _actions(statement):
                if match := CHANGES_ROWS.match(action):
                    self.changed.add(match["table"])
                if match := NOT_VALID.match(action):
                    self.not_valid[match["name"]] = match[1]
                elif match := VALIDATE.match(action):
                    yield from self._check(self._added(match["table"], match["name"]))
                else:
                    yield from self._check(action)
        self.runs_python |= PYTHON in sql

    def _added(self, table: str, constraint: str) -> str:
        """The ADD CONSTRAINT of a NOT VALID constraint, in the plan or in the database."""
        self.cursor.execute(DEFINITION, [table, constraint.strip('"')])
        row = self.cursor.fetchone()
        return row[0] if row else self.not_valid.get(constraint, "")

    def _check(self, action: str) -> Iterator[tuple[bool, str]]:
        for pattern, reason, query in ROW_CHECKS:
            if not (match := pattern.match(action)):
                continue
            values = {name: value or "true" for name, value in match.groupdict().items()}
            offending = query.format(**{"condition": "true"} | values)
            try:
                self.cursor.execute(f"SELECT EXISTS ({offending})")
            except (ProgrammingError, OperationalError) as error:
                if not isinstance(error.__cause__, errors.UndefinedTable):  # new: it has no rows
                    yield False, f"Not checked, {str(error).splitlines()[0]}: {action}"
                continue
            if self.cursor.fetchone() == (True,):
                is_changed = self.runs_python or match["table"] in self.changed
                is_certain = not is_changed or "WHERE" not in query
                fails = "fails" if is_certain else "fails unless an earlier step changes them"
                yield is_certain, f"{match['table']} has {reason}: {action} {fails} ({offending})"


def _actions(statement: str) -> Iterator[str]:
    """The statement on one line; of an ALTER TABLE, each action as a statement of its own."""
    words = " ".join(statement.split())
    if not (match := re.match(ALTER, words, re.I)):
        yield words
        return
    action, depth = "", 0
    (actions,) = sqlparse.parse(words[match.end() :])
    for token in actions.flatten():  # type: ignore[no-untyped-call]
        depth += (token.value == "(") - (token.value == ")")
        if token.value == "," and not depth:
            yield match[0] + action.strip()
            action = ""
        else:
            action += token.value
    yield match[0] + action.strip()
