"""What a statement locks, how strongly, and how long it works while it does.

As in PostgreSQL's documentation, "Explicit Locking" and the pages of the statements; what is
not known here counts as the strongest. tests/database/test_migration_locks.py asks the server.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from database.safe_migrations.script import statements, without_strings


class Lock(IntEnum):
    """PostgreSQL's table locks, from weak to strong."""

    NONE = 0
    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    def __str__(self) -> str:
        return self.name.replace("_", " ")

    @property
    def mode(self) -> str:
        """As pg_locks spells it."""
        return self.name.title().replace("_", "") + "Lock"

    @property
    def stops(self) -> str:
        """What of the traffic waits while it is held, and while it is waited for."""
        if self is Lock.ACCESS_EXCLUSIVE:
            return "reads and writes"
        return "writes" if self >= Lock.SHARE else ""


class Work(StrEnum):
    """What takes the time while the lock is held."""

    CATALOG = "only the catalog changes"
    SCAN = "reads the whole table"
    BUILD = "builds an index of the whole table"
    REWRITE = "writes the whole table anew"
    ROWS = "changes rows"


@dataclass(frozen=True)
class Effect:
    """One lock of a statement. Without a table: on what the statement does not name."""

    lock: Lock
    table: str = ""
    index: str = ""  # of whose table, where the statement names the index alone
    work: Work = Work.CATALOG


NAME = r'(?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?'
TABLE = rf"(?:ONLY )?(?P<table>{NAME})"
IF = r"(?:IF (?:NOT )?EXISTS )?"
# An expression that PostgreSQL computes anew for each row.
VOLATILE = (
    r"\b(?:gen_random_uuid|uuid_generate_v\d\w*|uuidv\d|random|clock_timestamp|timeofday|nextval)\b"
    r"|\bGENERATED\b|\b(?:big|small)?serial\b"
)
# How each begins, its lock and its work; the first that fits.
STATEMENTS: list[tuple[str, Lock, Work]] = [
    (rf"CREATE (?:UNIQUE )?INDEX CONCURRENTLY .*?\bON {TABLE}",
     Lock.SHARE_UPDATE_EXCLUSIVE, Work.BUILD),
    (rf"CREATE (?:UNIQUE )?INDEX\b.*?\bON {TABLE}", Lock.SHARE, Work.BUILD),
    (rf"DROP INDEX CONCURRENTLY {IF}(?P<index>{NAME})",
     Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (rf"DROP INDEX {IF}(?P<index>{NAME})", Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (rf"ALTER INDEX {IF}(?P<index>{NAME}) RENAME\b", Lock.NONE, Work.CATALOG),
    (rf"REINDEX (?:\(.*?\) )?INDEX CONCURRENTLY (?P<index>{NAME})",
     Lock.SHARE_UPDATE_EXCLUSIVE, Work.BUILD),
    (rf"REINDEX (?:\(.*?\) )?INDEX (?P<index>{NAME})", Lock.SHARE, Work.BUILD),
    (rf"REINDEX (?:\(.*?\) )?TABLE CONCURRENTLY {TABLE}",
     Lock.SHARE_UPDATE_EXCLUSIVE, Work.BUILD),
    (rf"REINDEX (?:\(.*?\) )?TABLE {TABLE}", Lock.SHARE, Work.BUILD),
    (rf"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER\b.*?\bON {TABLE}",
     Lock.SHARE_ROW_EXCLUSIVE, Work.CATALOG),
    (rf"DROP TRIGGER\b.*?\bON {TABLE}", Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (rf"COMMENT ON (?:TRIGGER|CONSTRAINT|POLICY)\b.*?\bON {TABLE}",
     Lock.ACCESS_SHARE, Work.CATALOG),
    (rf"COMMENT ON TABLE {TABLE}", Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (r'COMMENT ON COLUMN (?P<table>(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+)(?=\.))?)',
     Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (rf"CREATE STATISTICS\b.*?\bFROM {TABLE}", Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (rf"(?:CREATE|ALTER|DROP) POLICY\b.*?\bON {TABLE}", Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (rf"REFRESH MATERIALIZED VIEW CONCURRENTLY {TABLE}", Lock.EXCLUSIVE, Work.REWRITE),
    (rf"REFRESH MATERIALIZED VIEW {TABLE}", Lock.ACCESS_EXCLUSIVE, Work.REWRITE),
    (rf"VACUUM (?:FULL|\([^)]*\bFULL\b[^)]*\)) {TABLE}", Lock.ACCESS_EXCLUSIVE, Work.REWRITE),
    (rf"(?:VACUUM|ANALYZE) (?:\([^)]*\) |ANALYZE )?{TABLE}",
     Lock.SHARE_UPDATE_EXCLUSIVE, Work.SCAN),
    (rf"CLUSTER {TABLE}", Lock.ACCESS_EXCLUSIVE, Work.REWRITE),
    (rf"TRUNCATE (?:TABLE )?{TABLE}", Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (rf"DROP (?:TABLE|(?:MATERIALIZED )?VIEW) {IF}{TABLE}",
     Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (rf"CREATE TABLE {IF}{NAME} PARTITION OF {TABLE}", Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (rf"CREATE OR REPLACE VIEW {TABLE}", Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (rf"INSERT INTO {TABLE}", Lock.ROW_EXCLUSIVE, Work.ROWS),
    (rf"(?:UPDATE|DELETE FROM|MERGE INTO) {TABLE}", Lock.ROW_EXCLUSIVE, Work.ROWS),
    (rf"WITH\b.*?\b(?:UPDATE|DELETE FROM|INSERT INTO) {TABLE}", Lock.ROW_EXCLUSIVE, Work.ROWS),
    # What it calls may do more; a function of ours that does is written as what it runs.
    (r"(?:SELECT|WITH|VALUES|SHOW|EXPLAIN)\b", Lock.ACCESS_SHARE, Work.CATALOG),
    (r"(?:CREATE|ALTER|DROP|COMMENT ON) (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|SCHEMA|EXTENSION|"
     r"TYPE|SEQUENCE|DOMAIN|AGGREGATE|ROLE|COLLATION|CAST|OPERATOR|TEXT SEARCH)\b",
     Lock.NONE, Work.CATALOG),
    (r"CREATE (?:TEMP\w* |UNLOGGED )?(?:TABLE|VIEW|MATERIALIZED VIEW)\b", Lock.NONE, Work.CATALOG),
    (r"(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES|SET|RESET|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|"
     r"RELEASE)\b",
     Lock.NONE, Work.CATALOG),
]  # fmt: skip
# The parts of ALTER TABLE, likewise; all others only change the catalog, under ACCESS EXCLUSIVE.
PARTS: list[tuple[str, Lock, Work]] = [
    (r"VALIDATE CONSTRAINT\b", Lock.SHARE_UPDATE_EXCLUSIVE, Work.SCAN),
    (r"ADD (?:CONSTRAINT \S+ )?FOREIGN KEY\b.*\bNOT VALID",
     Lock.SHARE_ROW_EXCLUSIVE, Work.CATALOG),
    (r"ADD (?:CONSTRAINT \S+ )?FOREIGN KEY\b", Lock.SHARE_ROW_EXCLUSIVE, Work.SCAN),
    (r"ADD (?:CONSTRAINT \S+ )?(?:CHECK|NOT NULL)\b.*\bNOT VALID",
     Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (r"ADD (?:CONSTRAINT \S+ )?(?:CHECK|NOT NULL)\b", Lock.ACCESS_EXCLUSIVE, Work.SCAN),
    (r"ADD (?:CONSTRAINT \S+ )?(?:UNIQUE|PRIMARY KEY) USING INDEX\b",
     Lock.ACCESS_EXCLUSIVE, Work.CATALOG),
    (r"ADD (?:CONSTRAINT \S+ )?(?:UNIQUE|PRIMARY KEY|EXCLUDE)\b",
     Lock.ACCESS_EXCLUSIVE, Work.BUILD),
    (rf"ADD (?:COLUMN )?.*(?:{VOLATILE})", Lock.ACCESS_EXCLUSIVE, Work.REWRITE),
    (r"ALTER (?:COLUMN )?\S+ SET STATISTICS\b", Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (r"ALTER (?:COLUMN )?\S+ SET NOT NULL", Lock.ACCESS_EXCLUSIVE, Work.SCAN),
    (r"ALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b", Lock.ACCESS_EXCLUSIVE, Work.REWRITE),
    (r"(?:ENABLE|DISABLE) (?:REPLICA |ALWAYS )?TRIGGER\b",
     Lock.SHARE_ROW_EXCLUSIVE, Work.CATALOG),
    (r"(?:RE)?SET \(", Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (r"(?:CLUSTER ON|SET WITHOUT CLUSTER)\b", Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (r"ATTACH PARTITION\b", Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (r"DETACH PARTITION \S+ CONCURRENTLY", Lock.SHARE_UPDATE_EXCLUSIVE, Work.CATALOG),
    (r"SET (?:TABLESPACE|LOGGED|UNLOGGED|ACCESS METHOD)\b",
     Lock.ACCESS_EXCLUSIVE, Work.REWRITE),
]  # fmt: skip
ALTER = re.compile(
    rf"ALTER (?:TABLE|(?:MATERIALIZED )?VIEW) {IF}{TABLE}(?: \*)? (?P<parts>.*)", re.I
)
LOCK = re.compile(rf"LOCK (?:TABLE )?{TABLE}(?: IN (?P<mode>[\w ]+?) MODE)?", re.I)
REFERENCES = re.compile(rf"\bREFERENCES {TABLE}", re.I)
ATTACHED = re.compile(rf"ATTACH PARTITION {TABLE}", re.I)
CREATES = re.compile(
    rf"CREATE (?:TEMP\w* |UNLOGGED )?(?:TABLE|(?:OR REPLACE )?VIEW|MATERIALIZED VIEW) {IF}"
    rf"(?P<table>{NAME})",
    re.I,
)


def unquoted(name: str) -> str:
    """A table's name as the catalog has it; what is not quoted is in lower case."""
    parts = re.findall(r'"([^"]+)"|([\w$]+)', name)
    return ".".join(quoted or plain.lower() for quoted, plain in parts)


def created(statement: str) -> str | None:
    """The table or view that the statement makes."""
    match = CREATES.match(without_strings(statement))
    return unquoted(match["table"]) if match else None


def effects(script: str) -> list[Effect]:
    """What the statements of a script lock."""
    return [effect for one in statements(script) for effect in _effects(without_strings(one))]


def _effects(statement: str) -> Iterator[Effect]:
    if match := ALTER.match(statement):
        table = unquoted(match["table"])
        for part in _parts(match["parts"]):
            lock, work = Lock.ACCESS_EXCLUSIVE, Work.CATALOG
            for form, its_lock, its_work in PARTS:
                if re.match(form, part, re.I):
                    lock, work = its_lock, its_work
                    break
            yield Effect(lock, table, work=work)
            if (attached := ATTACHED.match(part)) is not None:
                yield Effect(Lock.ACCESS_EXCLUSIVE, unquoted(attached["table"]), work=Work.SCAN)
    elif match := LOCK.match(statement):
        mode = (match["mode"] or "ACCESS EXCLUSIVE").upper().replace(" ", "_")
        yield Effect(Lock[mode], unquoted(match["table"]))
    else:
        for form, lock, work in STATEMENTS:
            if match := re.match(form, statement, re.I):
                names = {key: unquoted(name) for key, name in match.groupdict().items() if name}
                yield Effect(lock, work=work, **names)
                break
        else:
            yield Effect(Lock.ACCESS_EXCLUSIVE)
    if re.match(r"(?:CREATE|ALTER) TABLE\b", statement, re.I):
        for match in REFERENCES.finditer(statement):
            yield Effect(Lock.SHARE_ROW_EXCLUSIVE, unquoted(match["table"]))


def _parts(parts: str) -> Iterator[str]:
    """The parts of an ALTER TABLE, cut at the commas that stand in no bracket."""
    depth, part = 0, ""
    for character in parts:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            yield part.strip()
            part = ""
        else:
            part += character
    yield part.strip()
