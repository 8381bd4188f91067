"""plan_migrations tells beforehand what migrate would lock, and whether now is the moment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tenants.planting import PATIENCE, PlantedDatabase, planted_database

ADD = """
operations = [migrations.RunSQL(
    "ALTER TABLE planted ADD note text; CREATE TABLE pets (id int);"
    " CREATE INDEX pets_id ON pets (id)", "")]
"""
INDEX = """
atomic = False
operations = [
    migrations.RunSQL("CREATE INDEX CONCURRENTLY planted_n ON planted (n)", ""),
    migrations.RunPython(lambda apps, editor: None, migrations.RunPython.noop)]
"""
REWRITE = """
operations = [migrations.RunSQL("ALTER TABLE planted ALTER n TYPE bigint", "")]
"""
# More than the five seconds would take to write anew, by the estimate; a row on each page.
GROW = """
CREATE UNLOGGED TABLE planted (n int, pad text) WITH (fillfactor = 10);
INSERT INTO planted SELECT n, repeat('x', 800) FROM generate_series(1, 30000) AS n
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def planted(committed: None, tmp_path: Path) -> Iterator[PlantedDatabase]:
    with planted_database(tmp_path) as database:
        yield database


def read(planted: PlantedDatabase) -> tuple[int, str]:
    """The exit code and everything said."""
    process = planted.start("plan_migrations")
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    return process.returncode, out + err


def test_plan_shows_lock_and_size_and_changes_nothing(planted: PlantedDatabase) -> None:
    planted.plant("0001_add", ADD)
    planted.plant("0002_index", INDEX)
    with planted.connect() as connection:
        connection.execute("ANALYZE planted")
        before = connection.execute("SELECT count(*) FROM pg_class").fetchone()
        code, said = read(planted)
        assert connection.execute("SELECT count(*) FROM pg_class").fetchone() == before
    assert code == 0, said
    assert (
        "planted.0001_add, in one transaction\n"
        "  ALTER TABLE planted ADD note text\n"
        "    ACCESS EXCLUSIVE on planted (1,000 rows, " in said
    )
    assert "): stops reads and writes; only the catalog changes, about 50 ms" in said
    assert "  CREATE INDEX pets_id ON pets (id)\n    locks nothing that is there" in said
    assert "planted.0002_index, each statement for itself" in said
    assert "SHARE UPDATE EXCLUSIVE on planted" in said
    assert "stops nobody; builds an index of the whole table" in said
    assert "a function: its statements are known when it runs" in said
    assert said.endswith("2 migrations; now is a good moment.\n")


def test_plan_names_who_is_in_the_way(planted: PlantedDatabase) -> None:
    planted.plant("0001_add", ADD)
    with planted.connect() as long:
        long.execute("BEGIN")
        long.execute("SELECT count(*) FROM planted")
        code, said = read(planted)
        assert code == 1
        assert f"in the way: process {long.info.backend_pid}, " in said
        assert "idle in transaction" in said
        assert "with AccessShareLock on planted" in said
        assert "Not a good moment" in said
        long.execute("COMMIT")
    assert read(planted)[0] == 0


def test_plan_lets_a_reader_be_beside_what_stops_nobody(planted: PlantedDatabase) -> None:
    planted.plant("0001_index", INDEX)
    with planted.connect() as long:
        long.execute("BEGIN")
        long.execute("SELECT count(*) FROM planted")
        code, said = read(planted)
    assert code == 0, said
    assert "in the way" not in said


def test_plan_says_what_would_stop_traffic_for_long(planted: PlantedDatabase) -> None:
    planted.plant("0001_rewrite", REWRITE)
    with planted.connect() as connection:
        connection.execute(f"DROP TABLE planted; {GROW}")
    code, said = read(planted)
    assert code == 3
    assert "writes the whole table anew" in said
    assert "planted.0001_rewrite may stop traffic for more than 5 s" in said
    assert "--hold-limit 0" in said


def test_plan_has_nothing_to_say_after_migrate(planted: PlantedDatabase) -> None:
    planted.plant("0001_add", ADD)
    planted.migrate()
    assert read(planted) == (0, "Nothing to migrate.\n")
