"""Refuses a migration that would block traffic, or on which the last release would not run.

squawk reads the SQL; the rest is what it does not see. A migration may accept a rule for itself,
with the reason: `safe_because = {"require-concurrent-index-creation": "it is partitioned"}`.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.state import ProjectState

from database.operations import AddIndexOnline
from database.safe_migrations.planning import collect_sql, statements_of

# Rules of squawk that do not apply.
EXCLUDED = {
    "require-lock-timeout": "migrate sets it",
    "require-statement-timeout": "migrate sets it",
    "prefer-robust-stmts": "a transaction is rolled back as a whole; else see not-restartable",
    "prefer-text-field": "widening a varchar is free; narrowing one is changing-column-type",
    "prefer-bigint-over-int": "counters that stay small",
    "prefer-bigint-over-smallint": "counters that stay small",
    "ban-drop-constraint": "blocks nobody, and the last release inserts what it inserted before",
}
BATCHES = "RunPython with atomic = False, in batches, which lock a few rows at a time"
NEXT_RELEASE = "Take it out of code and state (SeparateDatabaseAndState); drop it a release later"
# The safe way, where squawk's own help does not know our operations or the last release.
FIXES = {
    "require-concurrent-index-creation": "AddIndexOnline, alone, with atomic = False",
    "require-concurrent-index-deletion": "RemoveIndexConcurrently, alone, with atomic = False",
    "disallowed-unique-constraint": "CREATE UNIQUE INDEX CONCURRENTLY; ADD CONSTRAINT … UNIQUE"
    " USING INDEX in the next migration",
    "constraint-missing-not-valid": "AddConstraintNotValid (a foreign key: RunSQL with NOT VALID);"
    " ValidateConstraint in the next migration",
    "adding-foreign-key-constraint": "RunSQL with NOT VALID; VALIDATE CONSTRAINT in the next one",
    "adding-not-nullable-field": "CHECK (… IS NOT NULL) NOT VALID, validate it, SET NOT NULL",
    "adding-required-field": "The last release inserts without it: db_default= or null=True",
    "ban-drop-default": "The last release inserts without it: db_default= instead of default=",
    "adding-field-with-default": f"null=True, db_default= for new rows, then {BATCHES}",
    "changing-column-type": "A new column, filled by a trigger and in batches; drop the old one a"
    " release later. To shorten a text: a CHECK NOT VALID, then validate it",
    "renaming-column": "Rename the field alone, with db_column=",
    "renaming-table": "Rename the model alone, with Meta.db_table",
    "ban-drop-column": NEXT_RELEASE,
    "ban-drop-table": NEXT_RELEASE,
    "ban-drop-function": "Drop it a release later, when nothing calls it any more",
}
RESTARTABLE = AddIndexOnline | RemoveIndexConcurrently | RunPython | RunSQL
CREATE_TABLE = re.compile(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?([^\s(]+)", re.I)
ALTER_TABLE = re.compile(r"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\S+)", re.I)
CHANGE_ROWS = re.compile(r"(?:UPDATE|DELETE FROM|MERGE INTO) (?:ONLY )?(\S+)", re.I)
STATEMENT_RULES = [
    (
        re.compile("REFRESH MATERIALIZED VIEW (?!CONCURRENTLY)", re.I),
        "refresh-blocks-readers",
        "REFRESH … CONCURRENTLY with atomic = False, or leave it to the schedule",
    ),
    (re.compile(r"(?:DO|CALL)\b", re.I), "opaque-statement", "Plain statements"),
]


@dataclass(frozen=True)
class Refusal:
    """A rule, the operation or statement that breaks it, and the safe way."""

    rule: str
    subject: str
    fix: str


def refusals(
    migration: Migration,
    state: ProjectState,
    connection: BaseDatabaseWrapper,
    *,
    beside_traffic: bool = True,
) -> list[Refusal]:
    """Why the migration is refused; `state`, the models before it, becomes the state after it.

    Before the first release there is no traffic: it only has to be reversible and restartable.
    """
    try:
        sql = collect_sql(migration, state, connection)
    except ValueError as error:
        return [Refusal("unreadable", str(error), "RunSQL, or RunPython by itself")]
    found = list(_restart_refusals(migration))
    accepted: dict[str, str] = getattr(migration, "safe_because", {})
    if beside_traffic:
        statements = [statement for statement, _ in statements_of(sql)]
        found += _traffic_refusals(migration, statements)
        found += _squawk_refusals(migration, statements)
        unused = accepted.keys() - {refusal.rule for refusal in found}
        found += [Refusal("unused-safe-because", rule, "Remove it") for rule in sorted(unused)]
    return [refusal for refusal in found if not accepted.get(refusal.rule)]


def _restart_refusals(migration: Migration) -> Iterator[Refusal]:
    for operation in migration.operations:
        parts = [operation]
        if isinstance(operation, SeparateDatabaseAndState):
            parts = list(operation.database_operations)
        for part in parts:
            if not part.reversible:
                yield Refusal("no-reverse", part.describe(), "Add reverse_sql or reverse_code")
            if type(part) is AddIndexConcurrently:
                fix = "AddIndexOnline, which drops the INVALID index of an interrupted build"
                yield Refusal("not-restartable", part.describe(), fix)
            elif not (migration.atomic or isinstance(part, RESTARTABLE)):
                fix = "A migration of its own, with a transaction"
                yield Refusal("not-restartable", part.describe(), fix)


def _traffic_refusals(migration: Migration, statements: list[str]) -> Iterator[Refusal]:
    for operation in migration.operations:
        if isinstance(operation, RunPython) and (
            operation.atomic or (operation.atomic is None and migration.atomic)
        ):
            yield Refusal("python-in-transaction", operation.describe(), BATCHES)
    created: set[str] = set()
    altered: set[str] = set()
    for statement in statements:
        words = " ".join(statement.split())
        if match := CREATE_TABLE.match(words):
            created.add(match[1].strip('"'))
        if match := ALTER_TABLE.match(words):
            altered.add(match[1].strip('"'))
        if (match := CHANGE_ROWS.match(words)) and match[1].strip('"') not in created:
            yield Refusal("rows-in-one-statement", words, BATCHES)
        for pattern, rule, fix in STATEMENT_RULES:
            if pattern.match(words):
                yield Refusal(rule, words, fix)
    if migration.atomic and len(tables := altered - created) > 1:
        yield Refusal("several-tables", ", ".join(sorted(tables)), "A migration for each table")


def _squawk_refusals(migration: Migration, statements: list[str]) -> Iterator[Refusal]:
    beside_python = Path(sys.executable).with_name("squawk")
    program = str(beside_python) if beside_python.exists() else "squawk"
    command = [program, "--reporter=json", "--pg-version=15", f"--exclude={','.join(EXCLUDED)}"]
    if migration.atomic:
        command.append("--assume-in-transaction")
    script = "".join(f"{statement};\n" for statement in statements)
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"squawk: {done.stderr.strip()}")
    lines = script.splitlines()
    for warning in json.loads(done.stdout):
        rule = warning["rule_name"]
        subject = " ".join(lines[warning["line"] : warning["line_end"] + 1])
        yield Refusal(rule, subject, FIXES.get(rule) or warning["help"] or warning["message"])
