"""What migrate believes about the locks of statements, against what the server takes."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.backends.utils import CursorWrapper

from database.safe_migrations.locks import Lock, Work, effects
from database.safe_migrations.script import statements

TABLES = """
CREATE TABLE parent (id bigint PRIMARY KEY);
CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint, n int, k int, note text);
CREATE INDEX child_n ON child (n);
CREATE UNIQUE INDEX child_note ON child (note);
ALTER TABLE child ADD CONSTRAINT child_n_positive CHECK (n > 0) NOT VALID;
ALTER TABLE child ADD CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER child_trigger AFTER INSERT ON child EXECUTE FUNCTION nothing();
CREATE POLICY child_policy ON child USING (true);
CREATE TABLE parted (id bigint NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE part (id bigint NOT NULL);
CREATE MATERIALIZED VIEW seen AS SELECT n FROM child;
CREATE VIEW shown AS SELECT n FROM child;
CREATE TABLE names AS SELECT oid, relname AS name FROM pg_class
WHERE relname IN ('parent', 'child', 'parted', 'part', 'seen', 'shown');
"""
STATEMENTS = [
    "CREATE INDEX ON child (parent_id)",
    "DROP INDEX child_n",
    "DROP INDEX IF EXISTS child_n",
    "REINDEX TABLE child",
    "ALTER TABLE child ADD COLUMN language varchar(8) DEFAULT 'en' NOT NULL",
    "ALTER TABLE child ADD COLUMN key uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE child ADD n2 int, DROP k",
    "ALTER TABLE child DROP COLUMN k",
    "ALTER TABLE child RENAME COLUMN n TO m",
    "ALTER TABLE child RENAME TO children",
    "ALTER TABLE child ALTER COLUMN k TYPE bigint, ALTER COLUMN k SET DEFAULT 3",
    "ALTER TABLE child ALTER COLUMN n SET NOT NULL",
    "ALTER TABLE child ALTER COLUMN n SET STATISTICS 200",
    "ALTER TABLE child SET (fillfactor = 90)",
    "ALTER TABLE child ADD CONSTRAINT c CHECK (n < 9)",
    "ALTER TABLE child ADD CONSTRAINT c CHECK (n < 9) NOT VALID",
    "ALTER TABLE child VALIDATE CONSTRAINT child_n_positive",
    "ALTER TABLE child ADD CONSTRAINT u UNIQUE (n)",
    "ALTER TABLE child ADD CONSTRAINT u UNIQUE USING INDEX child_note",
    "ALTER TABLE child ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES parent (id)",
    "ALTER TABLE child ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES parent (id) NOT VALID",
    "ALTER TABLE child DISABLE TRIGGER child_trigger",
    "ALTER TABLE child ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "ALTER TABLE parted ATTACH PARTITION part FOR VALUES FROM (1) TO (2)",
    "CREATE TABLE other PARTITION OF parted FOR VALUES FROM (3) TO (4)",
    "CREATE TABLE grandchild (parent_id bigint REFERENCES parent)",
    "CREATE TABLE plain (n int)",
    "CREATE TRIGGER t AFTER UPDATE ON child EXECUTE FUNCTION nothing()",
    "DROP TRIGGER child_trigger ON child",
    "COMMENT ON TRIGGER child_trigger ON child IS 'it; does'",
    "COMMENT ON TABLE child IS 'of a parent'",
    "COMMENT ON COLUMN child.n IS 'a number'",
    "COMMENT ON COLUMN public.child.n IS 'a number'",
    "CREATE STATISTICS s ON n, note FROM child",
    "CREATE POLICY p ON child USING (false)",
    "DROP POLICY child_policy ON child",
    "REFRESH MATERIALIZED VIEW seen",
    "CREATE OR REPLACE VIEW shown AS SELECT n FROM child",
    "DROP VIEW shown",
    "TRUNCATE child",
    "DROP TABLE part",
    "ANALYZE child",
    "LOCK TABLE child IN SHARE MODE",
    "LOCK child",
    "INSERT INTO child (id) VALUES (1)",
    "UPDATE child SET n = 2",
    "DELETE FROM ONLY child WHERE n = 2",
    "WITH old AS (SELECT id FROM child) DELETE FROM child USING old WHERE old.id = child.id",
    "SELECT count(*) FROM child",
    "GRANT SELECT ON child TO replytics_staff",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1; SELECT 2$$",
]
INDEXES = {"child_n": "child"}
HELD = """
SELECT names.name, l.mode FROM pg_locks AS l JOIN names ON names.oid = l.relation
WHERE l.pid = pg_backend_pid()
"""


@pytest.fixture
def owner(committed: None) -> Iterator[CursorWrapper]:
    """In a transaction that is rolled back, after one that made the tables."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(TABLES)
        cursor.execute("BEGIN")
        yield cursor
        cursor.execute("ROLLBACK")
        cursor.execute(
            "DROP TABLE names, parent, child, parted, part CASCADE; DROP FUNCTION nothing()"
        )


def taken(cursor: CursorWrapper) -> dict[str, Lock]:
    """The strongest lock of this session on each of the tables."""
    cursor.execute(HELD)
    modes = {lock.mode: lock for lock in Lock}
    found: dict[str, Lock] = {}
    for table, mode in cursor.fetchall():
        found[table] = max(modes[mode], found.get(table, Lock.NONE))
    return found


@pytest.mark.parametrize("statement", STATEMENTS)
def test_locks_are_those_the_server_takes(owner: CursorWrapper, statement: str) -> None:
    owner.execute(statement)
    held = taken(owner)
    owner.execute("ROLLBACK; BEGIN")
    expected = dict.fromkeys(held, Lock.NONE)
    for effect in effects(statement):
        if effect.table or effect.index:
            table = effect.table.removeprefix("public.") or INDEXES[effect.index]
            expected[table] = max(effect.lock, expected.get(table, Lock.NONE))
    # What is only read on the way, to make something else, is not told.
    read = {table for table, lock in held.items() if not lock.stops and not expected[table]}
    assert {table: expected[table] for table in expected if table not in read} == {
        table: held.get(table) for table in expected if table not in read
    }


@pytest.mark.parametrize(
    ("statement", "lock"),
    [
        ("CREATE INDEX CONCURRENTLY i ON child (n)", Lock.SHARE_UPDATE_EXCLUSIVE),
        ("DROP INDEX CONCURRENTLY IF EXISTS i", Lock.SHARE_UPDATE_EXCLUSIVE),
        ("REINDEX INDEX CONCURRENTLY i", Lock.SHARE_UPDATE_EXCLUSIVE),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY seen", Lock.EXCLUSIVE),
        ("VACUUM (FULL) child", Lock.ACCESS_EXCLUSIVE),
        ("VACUUM child", Lock.SHARE_UPDATE_EXCLUSIVE),
        ("ALTER TABLE a DETACH PARTITION b CONCURRENTLY", Lock.SHARE_UPDATE_EXCLUSIVE),
        ("DO $$ BEGIN NULL; END $$", Lock.ACCESS_EXCLUSIVE),
        ("CALL something_new()", Lock.ACCESS_EXCLUSIVE),
        ("SELECT 1; ALTER TABLE child DROP n; SELECT 2", Lock.ACCESS_EXCLUSIVE),
        ("", Lock.NONE),
    ],
)
def test_locks_outside_a_transaction(statement: str, lock: Lock) -> None:
    assert max((effect.lock for effect in effects(statement)), default=Lock.NONE) == lock


@pytest.mark.parametrize(
    ("statement", "work"),
    [
        ("ALTER TABLE child ADD n int DEFAULT 3 NOT NULL", Work.CATALOG),
        ("ALTER TABLE child ADD at timestamptz DEFAULT now()", Work.CATALOG),
        ("ALTER TABLE child ADD at timestamptz DEFAULT clock_timestamp()", Work.REWRITE),
        ("ALTER TABLE child ADD key uuid DEFAULT gen_random_uuid() NOT NULL", Work.REWRITE),
        ("ALTER TABLE child ADD n int GENERATED ALWAYS AS (1) STORED", Work.REWRITE),
        ("ALTER TABLE child ALTER n SET NOT NULL", Work.SCAN),
        ("ALTER TABLE child VALIDATE CONSTRAINT c", Work.SCAN),
        ("CREATE INDEX i ON child (n)", Work.BUILD),
        ("ALTER TABLE child ADD CONSTRAINT c CHECK (n > 0) NOT VALID", Work.CATALOG),
        ("UPDATE child SET n = 1", Work.ROWS),
    ],
)
def test_locks_tell_the_work(statement: str, work: Work) -> None:
    [effect] = effects(statement)
    assert effect.work == work


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';'; SELECT \"a;b\"", ["SELECT ';'", 'SELECT "a;b"']),
        ("DO $$ a; b $$; DO $x$ $$; $x$", ["DO $$ a; b $$", "DO $x$ $$; $x$"]),
        ("SELECT 1 -- one; two\n; /* a;\n b */ SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'it''s; so', E'\\';'; SELECT 2", ["SELECT 'it''s; so', E'\\';'", "SELECT 2"]),
        ("SELECT $1; SELECT a$b$c; ", ["SELECT $1", "SELECT a$b$c"]),
        (" ; ; ", []),
    ],
)
def test_script_is_cut_into_statements(script: str, expected: list[str]) -> None:
    assert [" ".join(one.split()) for one in statements(script)] == expected
