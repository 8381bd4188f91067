"""The statements that migrate lets wait for long, against the locks that the server takes."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.backends.utils import CursorWrapper

from database.safe_migrations.lock_retry import (
    NON_BLOCKING,
    MigrationBlocked,
    retry_while_blocked,
)

TABLES = """
CREATE TABLE parent (id bigint PRIMARY KEY);
CREATE TABLE child (id bigint PRIMARY KEY, n int, CONSTRAINT f FOREIGN KEY (n) REFERENCES parent);
ALTER TABLE child ADD CONSTRAINT positive CHECK (n > 0) NOT VALID
"""
# Inside of a transaction, where the locks can be seen.
STATEMENTS = {
    "SELECT count(*) FROM child": True,
    "WITH old AS (SELECT 1) UPDATE child SET n = 2": True,
    "INSERT INTO child (id) VALUES (1)": True,
    "DELETE FROM child": True,
    "ALTER TABLE child VALIDATE CONSTRAINT positive": True,
    "ALTER TABLE child VALIDATE CONSTRAINT positive, ADD k int": False,
    "ALTER TABLE child ADD k int": False,
    "ALTER TABLE child ADD CONSTRAINT c CHECK (n < 9) NOT VALID": False,
    "CREATE INDEX i ON child (n)": False,
    "DROP TABLE child": False,
    "SELECT 1; TRUNCATE child": False,
    "LOCK TABLE child IN SHARE MODE": False,
    "DO $$ BEGIN EXECUTE 'DROP TABLE child'; END $$": False,
    "-- no comment\nCREATE TRIGGER t AFTER UPDATE ON child EXECUTE FUNCTION nothing()": False,
}
BLOCKS = """
SELECT count(*) > 0 FROM pg_locks
WHERE pid = pg_backend_pid() AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
    'AccessExclusiveLock') AND locktype = 'relation'
"""


@pytest.fixture
def owner(committed: None) -> Iterator[CursorWrapper]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'")
        cursor.execute(TABLES)
        yield cursor
        cursor.execute("DROP TABLE child, parent; DROP FUNCTION nothing()")


def test_statements_that_wait_for_long_block_no_traffic(owner: CursorWrapper) -> None:
    for statement, is_non_blocking in STATEMENTS.items():
        assert bool(NON_BLOCKING.match(statement)) == is_non_blocking, statement
        owner.execute("BEGIN")
        owner.execute(statement)
        owner.execute(BLOCKS)
        assert owner.fetchone() == (not is_non_blocking,), statement
        owner.execute("ROLLBACK")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE UNIQUE INDEX CONCURRENTLY i ON child (n)",
        "DROP INDEX CONCURRENTLY IF EXISTS i",
        "REINDEX TABLE CONCURRENTLY child",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY seen",
    ],
)
def test_concurrent_statements_may_wait(statement: str) -> None:
    assert NON_BLOCKING.match(statement)
    assert not NON_BLOCKING.match(statement.replace("CONCURRENTLY ", ""))


def test_retries_pause_longer_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    messages: list[str] = []
    monkeypatch.setattr("time.sleep", pauses.append)

    def work() -> None:
        raise MigrationBlocked("no lock")

    with pytest.raises(MigrationBlocked):
        retry_while_blocked(work, retry_for=100, notify=messages.append)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert messages[-1] == "no lock; trying again in 30 s"
