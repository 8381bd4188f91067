"""plan_migrations shows what migrate will do, and refuses what existing rows make fail."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from database.safe_migrations.lock_retry import LOCK_TIMEOUT
from tests.database.planting import TIMEOUT, PlantedDatabase, planted_database

ADD = "ALTER TABLE planted ADD note text; CREATE TABLE pets (id int); DROP INDEX planted_old"
INDEX = "CREATE INDEX CONCURRENTLY planted_n ON planted (n)"
ROWS = """
CREATE INDEX planted_old ON planted (id);
INSERT INTO planted VALUES (1, 1), (2, NULL);
ALTER TABLE planted ADD CONSTRAINT planted_small CHECK (n < 500) NOT VALID;
CREATE TABLE parents (id bigint PRIMARY KEY);
ANALYZE planted
"""
# On the rows of planted: id and n from 1 to 1000, a second (1, 1), (2, NULL).
FAILING = {
    "required column": (
        "ALTER TABLE planted ADD COLUMN note text NOT NULL",
        "planted has rows, and the new column is NOT NULL without a default",
    ),
    "one of two columns": (
        "ALTER TABLE planted ADD a numeric(3, 1) DEFAULT 1 NOT NULL, ADD b int NOT NULL",
        "planted has rows, and the new column is NOT NULL without a default",
    ),
    "not null": ("ALTER TABLE planted ALTER COLUMN n SET NOT NULL", "planted has rows with NULL"),
    "check": (
        "ALTER TABLE planted ADD CONSTRAINT c CHECK (n < 1000)",
        "planted has rows that violate the CHECK",
    ),
    "check of strings": (
        "ALTER TABLE planted ADD CONSTRAINT c CHECK (n::text NOT IN ('7', 'a,(b'))",
        "planted has rows that violate the CHECK",
    ),
    "validation": (
        "ALTER TABLE planted VALIDATE CONSTRAINT planted_small",
        "planted has rows that violate the CHECK",
    ),
    "check in two steps": (
        "ALTER TABLE planted ADD CONSTRAINT two CHECK (n < 1000) NOT VALID;"
        " ALTER TABLE planted VALIDATE CONSTRAINT two",
        "planted has rows that violate the CHECK",
    ),
    "unique constraint": (
        "ALTER TABLE planted ADD CONSTRAINT u UNIQUE (id, n)",
        "planted has duplicates",
    ),
    "unique index": (
        "CREATE UNIQUE INDEX u ON planted (id, (n + 1)) WHERE (n < 9)",
        "planted has duplicates",
    ),
    "foreign key": (
        "ALTER TABLE planted ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES parents (id)",
        "planted has rows that reference nothing",
    ),
}
PASSING = {
    "optional column": "ALTER TABLE planted ADD note text",
    "column with a default": "ALTER TABLE planted ADD note text DEFAULT 'x' NOT NULL",
    "identity": "ALTER TABLE planted ADD k bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
    "not null": "ALTER TABLE planted ALTER COLUMN id SET NOT NULL",
    "check": "ALTER TABLE planted ADD CONSTRAINT c CHECK (n <= 1000)",
    "check not valid": "ALTER TABLE planted ADD CONSTRAINT c CHECK (n < 9) NOT VALID",
    "unique where": "CREATE UNIQUE INDEX u ON planted (id) WHERE (n > 1)",
    "new table": "CREATE TABLE pets (id int); ALTER TABLE pets ADD name text NOT NULL",
}
# What Django writes itself.
MODEL = """
operations = [migrations.SeparateDatabaseAndState(state_operations=[
    migrations.CreateModel("Planted", [
        ("id", models.BigIntegerField(primary_key=True)), ("n", models.IntegerField(null=True)),
    ], options={"db_table": "planted"})])]
"""
FAILING_OPERATIONS = [
    "migrations.AlterField('planted', 'n', models.IntegerField())",
    "migrations.AddConstraint('planted', models.UniqueConstraint(fields=['id'], name='u'))",
    "migrations.AddConstraint('planted',"
    " models.CheckConstraint(condition=models.Q(n__lt=9), name='c'))",
]
# Each needs what the one before it did.
FILLED = [
    "migrations.RunPython(lambda apps, editor: None, migrations.RunPython.noop)",
    "migrations.RunSQL('ALTER TABLE planted ALTER n SET NOT NULL', '')",
    "migrations.RunSQL('ALTER TABLE planted ALTER not_yet SET NOT NULL', '')",
]


@pytest.fixture
def planted(committed: None, tmp_path: Path) -> Iterator[PlantedDatabase]:
    with planted_database(tmp_path) as database:
        with database.connect() as connection:
            connection.execute(ROWS)
        yield database


def run_sql(*statements: str, atomic: bool = True) -> str:
    operations = ", ".join(f"migrations.RunSQL({one!r}, '')" for one in statements)
    return f"atomic = {atomic}\noperations = [{operations}]"


def plan(planted: PlantedDatabase) -> tuple[int, str]:
    """The exit code and all output."""
    process = planted.start("plan_migrations")
    out, err = process.communicate(timeout=TIMEOUT)
    assert "Traceback" not in err
    return process.returncode, out + err


def test_plan_shows_sql_and_sizes_and_changes_nothing(planted: PlantedDatabase) -> None:
    planted.plant("0001_add", run_sql(ADD))
    planted.plant("0002_index", run_sql(INDEX, atomic=False))
    with planted.connect() as connection:
        before = connection.execute("SELECT count(*) FROM pg_class").fetchone()
        code, shown = plan(planted)
        assert connection.execute("SELECT count(*) FROM pg_class").fetchone() == before
    assert code == 0, shown
    first, second = shown.split("planted.0002_index (no transaction)\n")
    assert first.startswith("planted.0001_add (one transaction)\n")
    for text in (first, second):
        assert text.count("Table: planted: about 1,002 rows, ") == 1
    assert ADD in first
    assert INDEX in second
    assert second.endswith("2 migrations to apply.\n")
    planted.migrate()
    assert plan(planted) == (0, "No migrations to apply.\n")


def test_plan_names_the_sessions_that_block(planted: PlantedDatabase) -> None:
    planted.plant("0001_add", run_sql(ADD))
    with planted.connect() as reader, planted.connect() as other:
        for session, query in ((reader, "SELECT FROM planted"), (other, "SELECT 1")):
            session.execute("BEGIN")
            session.execute(query)
        time.sleep(LOCK_TIMEOUT + 0.1)  # a younger transaction makes no migrate give up
        code, shown = plan(planted)
        assert code == 0
        [line] = [line for line in shown.splitlines() if "Blocked by" in line]
        assert f"process {reader.info.backend_pid} (" in line
        assert "idle in transaction, transaction open for" in line
        assert "AccessShareLock on planted" in line
        # An index built CONCURRENTLY waits for every transaction.
        planted.plant("0002_index", run_sql(INDEX, atomic=False))
        _, shown = plan(planted)
        assert f"Blocked by: process {other.info.backend_pid} (" in shown


def test_plan_refuses_what_existing_rows_make_fail(planted: PlantedDatabase) -> None:
    names = {}
    for number, (case, (statements, _)) in enumerate(FAILING.items(), 1):
        names[case] = f"{number:04}_{case.replace(' ', '_')}"
        planted.plant(names[case], run_sql(statements))
        with planted.connect() as connection, pytest.raises(psycopg.Error):
            connection.execute(f"BEGIN; {statements}")
    code, shown = plan(planted)
    assert code == 1
    refused = shown.partition("Existing rows make migrations fail.")[2].strip().splitlines()
    assert len(refused) == len(FAILING)
    for line, (case, (_, reason)) in zip(refused, FAILING.items(), strict=True):
        assert line.startswith(f"planted.{names[case]}: {reason}: "), line


def test_plan_refuses_what_django_writes(planted: PlantedDatabase) -> None:
    planted.plant("0001_model", MODEL)
    for number, operation in enumerate(FAILING_OPERATIONS, 2):
        planted.plant(f"{number:04}_fails", f"operations = [{operation}]")
    code, shown = plan(planted)
    assert code == 1
    assert shown.count("  Fails: ") == len(FAILING_OPERATIONS)


def test_plan_lets_pass_what_existing_rows_allow(planted: PlantedDatabase) -> None:
    for number, (case, statements) in enumerate(PASSING.items(), 1):
        planted.plant(f"{number:04}_{case.replace(' ', '_')}", run_sql(statements))
        with planted.connect() as connection:
            connection.execute(f"BEGIN; {statements}; ROLLBACK")
    code, shown = plan(planted)
    assert code == 0, shown
    assert "Fails" not in shown
    assert "Warning" not in shown


def test_plan_warns_where_an_earlier_step_may_change_the_rows(planted: PlantedDatabase) -> None:
    for number, operation in enumerate(FILLED, 1):
        planted.plant(f"{number:04}_step", f"atomic = False\noperations = [{operation}]")
    code, shown = plan(planted)
    assert code == 0, shown
    first, second = (line for line in shown.splitlines() if "Warning" in line)
    assert "fails unless an earlier step changes them" in first
    assert 'Not checked, column "not_yet" does not exist' in second


def test_plan_runs_no_python(planted: PlantedDatabase) -> None:
    """sqlmigrate does, where it is inside of SeparateDatabaseAndState."""
    python = "migrations.RunPython(lambda apps, editor: print('ran'), migrations.RunPython.noop)"
    planted.plant("0001_python", f"operations = [{python}]")
    planted.plant("0002_nested", f"operations = [migrations.SeparateDatabaseAndState([{python}])]")
    code, shown = plan(planted)
    assert code == 1
    assert "planted.0002_nested runs Python inside of SeparateDatabaseAndState" in shown
    assert "ran" not in shown.split()
