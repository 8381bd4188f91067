"""Who holds what a migration will ask for."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from database.safe_migrations.locks import Effect, Lock

# Each mode conflicts with these.
CONFLICTS: dict[Lock, list[Lock]] = {
    Lock.ACCESS_SHARE: [Lock.ACCESS_EXCLUSIVE],
    Lock.ROW_SHARE: [Lock.EXCLUSIVE, Lock.ACCESS_EXCLUSIVE],
    Lock.ROW_EXCLUSIVE: [lock for lock in Lock if lock >= Lock.SHARE],
    Lock.SHARE_UPDATE_EXCLUSIVE: [lock for lock in Lock if lock >= Lock.SHARE_UPDATE_EXCLUSIVE],
    Lock.SHARE: [lock for lock in Lock if lock >= Lock.ROW_EXCLUSIVE and lock is not Lock.SHARE],
    Lock.SHARE_ROW_EXCLUSIVE: [lock for lock in Lock if lock >= Lock.ROW_EXCLUSIVE],
    Lock.EXCLUSIVE: [lock for lock in Lock if lock >= Lock.ROW_SHARE],
    Lock.ACCESS_EXCLUSIVE: [lock for lock in Lock if lock >= Lock.ACCESS_SHARE],
}
# pg_locks shows every session's locks to everybody; how old its transaction is, only with rights.
HOLDERS = """
SELECT DISTINCT l.pid, l.virtualtransaction, coalesce(a.usename, 'a prepared transaction'),
    coalesce(a.application_name, ''), a.state, l.mode, c.relname,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float
FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND a.backend_type IS DISTINCT FROM 'autovacuum worker'  -- it gives way
AND c.oid = coalesce(to_regclass(%(table)s),
    (SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(%(index)s)))
AND l.mode = ANY(%(modes)s)
ORDER BY l.pid
"""


@dataclass(frozen=True)
class Blocker:
    """A session whose transaction holds a lock that conflicts."""

    pid: int | None
    transaction: str
    login: str
    application: str
    state: str | None
    mode: str
    table: str
    age: float | None  # seconds; None: not for our eyes

    def __str__(self) -> str:
        words = [f"process {self.pid}", self.login, self.application, self.state or ""]
        if self.age is not None:
            words.append(f"in a transaction for {self.age:.0f} s")
        return f"{', '.join(filter(None, words))}, with {self.mode} on {self.table}"


def blockers_of(cursor: CursorWrapper, effects: Iterable[Effect]) -> list[Blocker]:
    """Whose locks conflict with the effects now; each session once."""
    found: dict[tuple[int | None, str], Blocker] = {}
    for effect in effects:
        if not effect.lock or not (effect.table or effect.index):
            continue
        cursor.execute(
            HOLDERS,
            {
                "table": quoted(effect.table),
                "index": quoted(effect.index),
                "modes": [lock.mode for lock in CONFLICTS[effect.lock]],
            },
        )
        for row in cursor.fetchall():
            blocker = Blocker(*row)
            found.setdefault((blocker.pid, blocker.transaction), blocker)
    return list(found.values())


def lasting_blockers_of(
    cursor: CursorWrapper, effects: Iterable[Effect], *, seconds: float
) -> list[Blocker]:
    """Those that are in the way at the beginning and at the end of that time."""
    effects = list(effects)
    if not (before := blockers_of(cursor, effects)):
        return []
    time.sleep(seconds)
    earlier = {(blocker.pid, blocker.transaction) for blocker in before}
    return [
        blocker
        for blocker in blockers_of(cursor, effects)
        if (blocker.pid, blocker.transaction) in earlier
    ]


def quoted(name: str) -> str | None:
    """As to_regclass reads it; None for no name."""
    return ".".join(f'"{part}"' for part in name.split(".")) if name else None
