"""Refuses a migration that would stop traffic, or on which the last release would not run.

squawk reads the SQL; the rest is what it does not see. A migration may accept a rule for itself,
with the reason: `safe_because = {"require-concurrent-index-creation": "it is partitioned"}`.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.state import ProjectState

from database.operations import AddIndexOnline
from database.safe_migrations.collecting import NeedsDatabase, Step, steps
from database.safe_migrations.locks import Lock, Work, created, effects

# Rules of squawk that say nothing here.
SILENT = {
    "require-lock-timeout": "migrate sets it",
    "require-statement-timeout": "migrate sets it",
    "prefer-robust-stmts": "a transaction is undone as a whole; else see not-repeatable",
    "prefer-text-field": "widening a varchar is free; narrowing one is changing-column-type",
    "prefer-bigint-over-int": "counters that stay small",
    "prefer-bigint-over-smallint": "counters that stay small",
}
TWO_RELEASES = (
    "In this release take it from the code and the state alone (SeparateDatabaseAndState), with a"
    " database default or null if it is a column; drop it in the next release, with safe_because"
)
# The safe way, by rule; ours and squawk's.
CURES = {
    "require-concurrent-index-creation": "AddIndexOnline, alone, with atomic = False",
    "require-concurrent-index-deletion": (
        "RemoveIndexConcurrently, alone, with atomic = False, which blocks nobody"
    ),
    "disallowed-unique-constraint": (
        "Build the unique index with AddIndexOnline's way (RunSQL CREATE UNIQUE INDEX"
        " CONCURRENTLY), then ADD CONSTRAINT … UNIQUE USING INDEX in the next migration"
    ),
    "constraint-missing-not-valid": (
        "AddConstraintNotValid (a foreign key: RunSQL with NOT VALID), then ValidateConstraint in"
        " the next migration"
    ),
    "adding-foreign-key-constraint": (
        "RunSQL ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in the next migration"
    ),
    "adding-not-nullable-field": (
        "A CHECK (… IS NOT NULL) NOT VALID, validate it, then SET NOT NULL, as"
        " calls.0004_require_ai_confidence does"
    ),
    "adding-required-field": (
        "The last release inserts without the column: give it db_default= or null=True"
    ),
    "ban-drop-default": (
        "The last release inserts without the column: give it db_default= instead of default=,"
        " which the database keeps"
    ),
    "adding-field-with-default": (
        "Add it with null=True, let new rows have it (db_default= by AlterField), fill the old"
        " ones in batches as calls.0003_fill_ai_confidence does"
    ),
    "changing-column-type": (
        "A new column, filled by a trigger and in batches, read by this release; drop the old one"
        " in the next release. To shorten a text, a CHECK NOT VALID and its validation do"
    ),
    "renaming-column": (
        "Keep the column: rename the field and give it db_column=. Or a new column, filled by a"
        " trigger and in batches; drop the old one in the next release"
    ),
    "renaming-table": "Keep the table: rename the model and give it Meta.db_table",
    "ban-drop-column": TWO_RELEASES,
    "ban-drop-table": TWO_RELEASES,
    "ban-drop-constraint": (
        "If only the last release relies on it, drop it in the next release; else safe_because"
    ),
    "ban-drop-function": "Drop it in the next release, when nothing calls it any more",
}


@dataclass(frozen=True)
class Refusal:
    """What is wrong with a migration and the safe way to do it."""

    rule: str
    statement: str
    why: str
    fix: str


def refusals(
    migration: Migration, state: ProjectState, connection: BaseDatabaseWrapper
) -> list[Refusal]:
    """Why the migration is refused; `state`, the models before it, becomes the state after it."""
    accepted: dict[str, str] = getattr(migration, "safe_because", {})
    try:
        done = steps(migration, state, connection)
    except NeedsDatabase:
        for operation in migration.operations:
            operation.state_forwards(migration.app_label, state)
        return [
            Refusal(
                "asks-the-database",
                str(migration),
                "An operation asks the database what to do, so nobody can read what it does.",
                "Write what it shall do as RunSQL, with its reverse",
            )
        ]
    found = [*_ours(migration, done), *_squawk(migration, done)]
    found += [
        Refusal(
            "nothing-to-accept",
            f"safe_because[{rule!r}]",
            "The migration does nothing that this rule refuses.",
            "Take it from safe_because",
        )
        for rule in accepted.keys() - {refusal.rule for refusal in found}
    ]
    return [refusal for refusal in found if not accepted.get(refusal.rule)]


def _ours(migration: Migration, done: list[Step]) -> Iterator[Refusal]:
    fresh: set[str] = set()
    locked: dict[str, str] = {}
    for step in done:
        yield from _of_operation(migration, step)
        for statement in step.statements:
            if table := created(statement):
                fresh.add(table)
            yield from _of_statement(statement, fresh)
            for effect in effects(statement):
                if effect.lock is Lock.ACCESS_EXCLUSIVE and effect.table not in {"", *fresh}:
                    locked.setdefault(effect.table, statement)
    if migration.atomic and len(locked) > 1:
        yield Refusal(
            "several-tables",
            "; ".join(locked.values()),
            f"One transaction stops all traffic of {', '.join(locked)}, each until it has got the"
            " next one; in another order than the traffic does, it deadlocks.",
            "A migration for each table",
        )


def _of_operation(migration: Migration, step: Step) -> Iterator[Refusal]:
    operation = step.operation
    if operation is None:
        return
    shown = operation.describe()
    if not operation.reversible:
        yield Refusal(
            "no-reverse",
            shown,
            "The migration cannot be taken back.",
            "Give it reverse_sql or reverse_code (RunPython.noop where nothing has to be undone)",
        )
    if isinstance(operation, RunPython) and (
        operation.atomic or (operation.atomic is None and migration.atomic)
    ):
        yield Refusal(
            "python-in-transaction",
            getattr(operation.code, "__name__", shown),
            "All rows that it changes stay locked until the last one is done.",
            "atomic = False and batches of some thousand rows, each a transaction of its own, as"
            " in calls.0003_fill_ai_confidence",
        )
    if isinstance(operation, AddIndexConcurrently) and not isinstance(operation, AddIndexOnline):
        yield Refusal(
            "index-not-repeatable",
            shown,
            "A build that is interrupted leaves an INVALID index, on which the next try fails.",
            "database.operations.AddIndexOnline, which drops it and builds it again",
        )
    elif not migration.atomic and not isinstance(
        operation, AddIndexOnline | RemoveIndexConcurrently | RunPython | RunSQL
    ):
        yield Refusal(
            "not-repeatable",
            shown,
            "Interrupted after it, a migration without a transaction cannot be run again.",
            "Put it into a migration of its own, with a transaction",
        )


def _of_statement(statement: str, fresh: set[str]) -> Iterator[Refusal]:
    for effect in effects(statement):
        if effect.table in fresh:
            continue
        words = statement.upper()
        if effect.work is Work.ROWS and not words.startswith("INSERT"):
            yield Refusal(
                "rows-in-one-statement",
                statement,
                f"Every row of {effect.table} that it changes stays locked until it ends.",
                "RunPython with atomic = False in batches, as calls.0003_fill_ai_confidence does",
            )
        if words.startswith("REFRESH") and effect.lock is Lock.ACCESS_EXCLUSIVE:
            yield Refusal(
                "refresh-stops-readers",
                statement,
                f"Nobody can read {effect.table} until it ends.",
                "REFRESH MATERIALIZED VIEW CONCURRENTLY (it needs a unique index), with"
                " atomic = False; or leave it to the schedule",
            )
        if effect.lock is Lock.ACCESS_EXCLUSIVE and not (effect.table or effect.index):
            yield Refusal(
                "unreadable",
                statement,
                "What it does and locks cannot be seen.",
                "Plain statements; or RunPython with atomic = False in batches",
            )


def _squawk(migration: Migration, done: list[Step]) -> Iterator[Refusal]:
    statements = [statement for step in done for statement in step.statements]
    if not statements:
        return
    command = [_program(), "--reporter=json", "--pg-version=15"]
    command.append(f"--exclude={','.join(SILENT)}")
    if migration.atomic:
        command.append("--assume-in-transaction")
    script = "".join(f"{statement};\n" for statement in statements)
    done_by = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if done_by.returncode not in (0, 1):
        raise RuntimeError(f"squawk: {done_by.stderr.strip()}")
    fresh = {table for statement in statements if (table := created(statement))}
    last_lines: list[int] = []
    for statement in statements:
        last_lines.append((last_lines[-1] if last_lines else -1) + statement.count("\n") + 1)
    told = set()
    for warning in json.loads(done_by.stdout):
        rule, line = warning["rule_name"], warning["line"]
        statement = next(s for s, last in zip(statements, last_lines, strict=True) if line <= last)
        of_fresh = {effect.table or effect.index for effect in effects(statement)} <= fresh
        if (rule, statement) not in told and not of_fresh:
            told.add((rule, statement))
            fix = CURES.get(rule) or warning["help"] or "safe_because, with the reason"
            yield Refusal(rule, statement, warning["message"], fix)


def _program() -> str:
    """squawk, which pip puts beside Python."""
    beside = Path(sys.executable).with_name("squawk")
    found = str(beside) if beside.exists() else shutil.which("squawk")
    if found is None:
        raise FileNotFoundError("squawk is missing; pip install -r requirements-dev.txt")
    return found
