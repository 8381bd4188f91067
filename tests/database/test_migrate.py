"""migrate beside traffic, beside another migrate, and after it was killed."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from database.safe_migrations.lock_retry import LOCK_TIMEOUT
from tests.database.planting import TIMEOUT, PlantedDatabase, line_with, planted_database

ADD_COLUMN = """
operations = [migrations.RunSQL(
    "ALTER TABLE planted ADD COLUMN note text", "ALTER TABLE planted DROP COLUMN note")]
"""
TELL_TIMEOUT = """
operations = [migrations.RunSQL(
    "ALTER TABLE planted ADD COLUMN lock_timeout text", "ALTER TABLE planted DROP lock_timeout"),
    migrations.RunSQL("INSERT INTO planted SELECT 0, 0, current_setting('lock_timeout')", "")]
"""
INDEX = """
atomic = False
operations = [
    migrations.SeparateDatabaseAndState(
        state_operations=[migrations.CreateModel("Planted", [
            ("id", models.BigIntegerField(primary_key=True)), ("n", models.IntegerField())],
            options={"db_table": "planted"})]),
    AddIndexOnline("planted", models.Index(fields=["n"], name="planted_n")),
]
"""
INDEX_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('planted_n')"
WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = 'planted'::regclass AND attnum > 0"


@pytest.fixture
def planted(committed: None, tmp_path: Path) -> Iterator[PlantedDatabase]:
    with planted_database(tmp_path) as database:
        yield database


def until(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    """The first answer that is true; a minute guards against a hang."""
    for _ in range(1200):
        if (row := connection.execute(query).fetchone()) and row[0]:
            return row[0]
        time.sleep(0.05)
    raise AssertionError(f"never: {query}")


def columns(planted: PlantedDatabase) -> set[object]:
    with planted.connect() as connection:
        return {name for (name,) in connection.execute(COLUMNS)}


@pytest.mark.soak
def test_migrate_lets_readers_pass_behind_a_long_transaction(
    planted: PlantedDatabase, record_figures: object
) -> None:
    """The transaction lasts until migrate has given up twice, and readers passed each time."""
    planted.plant("0001_add", ADD_COLUMN)
    stalls = []
    with planted.connect() as long, planted.connect() as reader:
        long.execute("BEGIN")
        long.execute("SELECT count(*) FROM planted")
        process = planted.start("migrate")
        # Behind a lock request that never gives up the reader would wait for `long`, for ever.
        reader.execute("SET statement_timeout = '20s'")
        for _ in range(2):
            until(reader, WAITING)
            began = time.monotonic()
            assert reader.execute("SELECT count(*) FROM planted").fetchone() == (1000,)
            stalls.append(time.monotonic() - began)
            line = line_with(process.stderr, "trying again")
            assert "No lock within 1.2 s for ALTER TABLE planted ADD COLUMN note text" in line
            assert f"blocked by process {long.info.backend_pid} (" in line
            assert "AccessShareLock on planted" in line
        long.execute("COMMIT")
        assert process.wait(timeout=TIMEOUT) == 0
    assert "note" in columns(planted)
    record_figures(f"readers behind migrate: stalled {max(stalls):.2f} s at most")  # type: ignore[operator]


def test_migrate_waits_once_for_all_locks_of_a_transaction(planted: PlantedDatabase) -> None:
    planted.plant("0001_tell", TELL_TIMEOUT)
    planted.migrate()
    with planted.connect() as connection:
        [(timeout,)] = connection.execute(
            "SELECT lock_timeout FROM planted WHERE id = 0"
        ).fetchall()
        assert 50 <= int(str(timeout).removesuffix("ms")) < LOCK_TIMEOUT * 1000
        # An autovacuum that is in the way is ended after this, and not after each try.
        [(deadlock_timeout,)] = connection.execute(
            "SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout'"
        ).fetchall()
        assert int(str(deadlock_timeout)) < LOCK_TIMEOUT * 1000


def test_migrate_gives_up_with_the_name_of_the_blocker(planted: PlantedDatabase) -> None:
    planted.plant("0001_add", ADD_COLUMN)
    with planted.connect() as long:
        long.execute("BEGIN")
        long.execute("SELECT count(*) FROM planted")
        process = planted.start("migrate", "--lock-timeout", "0.1", "--retry-for", "0.5")
        _, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 1
        assert f"process {long.info.backend_pid}" in err
        assert "Traceback" not in err
    assert "note" not in columns(planted)


@pytest.mark.soak
def test_migrate_ends_a_statement_that_blocks_traffic_for_long(planted: PlantedDatabase) -> None:
    planted.plant(
        "0001_slow",
        """
        operations = [migrations.RunSQL(
            "ALTER TABLE planted ADD note text DEFAULT pg_sleep(0.01)::text || random()",
            "ALTER TABLE planted DROP note")]
        """,
    )
    process = planted.start("migrate", "--statement-timeout", "0.5")
    _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1
    assert "Blocked traffic for 0.5 s and was ended: ALTER TABLE planted" in err
    assert "--statement-timeout 0" in err
    assert "note" not in columns(planted)


@pytest.mark.soak
@pytest.mark.parametrize(
    "kill", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)]
)
def test_migrate_can_be_run_again_after_a_kill(
    planted: PlantedDatabase, kill: signal.Signals
) -> None:
    planted.plant("0001_index", INDEX)
    with planted.connect() as long, planted.connect() as watcher:
        long.execute("BEGIN")
        long.execute("INSERT INTO planted VALUES (0, 0)")
        process = planted.start("migrate")
        until(watcher, "SELECT to_regclass('planted_n') IS NOT NULL")
        os.kill(process.pid, kill)
        process.communicate(timeout=TIMEOUT)
        # Its statement ends by itself, though the transaction it waits for does not.
        until(
            watcher,
            "SELECT count(*) = 0 FROM pg_stat_activity"
            " WHERE query LIKE 'CREATE INDEX%' AND datname = current_database()",
        )
        assert watcher.execute(INDEX_VALID).fetchone() == (False,)
        long.execute("COMMIT")
        planted.migrate()
        assert watcher.execute(INDEX_VALID).fetchone() == (True,)


def test_migrate_waits_long_where_nobody_waits_behind_it(planted: PlantedDatabase) -> None:
    planted.plant("0001_index", INDEX)
    with planted.connect() as long, planted.connect() as other:
        long.execute("BEGIN")
        long.execute("INSERT INTO planted VALUES (0, 0)")
        process = planted.start("migrate", "--lock-timeout", "0.1")
        until(other, "SELECT to_regclass('planted_n') IS NOT NULL")
        for key in range(2000, 2010):
            other.execute("SET statement_timeout = '20s'")
            other.execute("INSERT INTO planted VALUES (%s, 1)", [key])
            other.execute("SELECT pg_sleep(0.05)")
        assert process.poll() is None
        long.execute("COMMIT")
        _, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0
        assert "trying again" not in err
        assert other.execute(INDEX_VALID).fetchone() == (True,)


@pytest.mark.soak
def test_two_migrates_apply_everything_once(planted: PlantedDatabase) -> None:
    planted.plant("0001_add", ADD_COLUMN)
    with planted.connect() as long:
        long.execute("BEGIN")
        long.execute("SELECT count(*) FROM planted")
        first = planted.start("migrate")
        line_with(first.stderr, "trying again")
        second = planted.start("migrate")
        line_with(second.stderr, "Another migrate runs on this database (process")
        third = planted.start("migrate", "--retry-for", "0")
        _, err = third.communicate(timeout=TIMEOUT)
        assert third.returncode == 1
        assert "Run migrate again when it has ended" in err
        long.execute("COMMIT")
        outputs = [process.communicate(timeout=TIMEOUT)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    assert "Applying planted.0001_add... OK" in outputs[0]
    assert "No migrations to apply" in outputs[1]
    assert "note" in columns(planted)
