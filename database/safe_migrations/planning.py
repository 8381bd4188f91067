"""What the migrations to come would do to the database as it is now."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor

from database.safe_migrations.blockers import Blocker, lasting_blockers_of, quoted
from database.safe_migrations.collecting import steps
from database.safe_migrations.locks import Effect, Lock, Work, effects

# Bytes of a table that a server of modest size gets through in a second; it may be five times as
# fast, and slower under load.
BYTES_PER_SECOND = {
    Work.SCAN: 200_000_000,
    Work.BUILD: 60_000_000,
    Work.REWRITE: 30_000_000,
    Work.ROWS: 15_000_000,
}
# Locks and catalog changes alone.
AT_ONCE = 0.05  # seconds

SIZE = """
WITH RECURSIVE named AS (
    SELECT coalesce(to_regclass(%(table)s),
        (SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(%(index)s)))::oid AS oid
), whole AS (
    SELECT oid FROM named UNION ALL
    SELECT inhrelid FROM pg_inherits JOIN whole ON inhparent = whole.oid
)
SELECT (SELECT oid::regclass::text FROM named), coalesce(sum(pg_table_size(oid)), 0)::bigint,
    coalesce(sum(greatest(reltuples, 0)), 0)::bigint
FROM whole JOIN pg_class USING (oid)
"""


@dataclass(frozen=True)
class Impact:
    """One lock that a statement takes, on a table that is there."""

    effect: Effect
    table: str
    bytes: int
    rows: int  # as the server estimates

    @property
    def seconds(self) -> float:
        """For how long the work goes on; a guess."""
        rate = BYTES_PER_SECOND.get(self.effect.work)
        return AT_ONCE + (self.bytes / rate if rate else 0)


@dataclass(frozen=True)
class Planned:
    """A statement to come, or a function whose statements nobody knows."""

    statement: str
    impacts: list[Impact]
    blockers: list[Blocker]
    is_known: bool = True

    @property
    def stops_traffic(self) -> bool:
        return any(impact.effect.lock.stops for impact in self.impacts)

    @property
    def seconds(self) -> float:
        """For how long traffic waits once the lock is had; 0 where it does not."""
        return sum(impact.seconds for impact in self.impacts if impact.effect.lock.stops)


def plan(
    connection: BaseDatabaseWrapper, *, app: str = "", seconds: float
) -> Iterator[tuple[Migration, list[Planned]]]:
    """Every migration to come with its statements; who is in the way for that time blocks them."""
    executor = MigrationExecutor(connection)
    leaves = [key for key in executor.loader.graph.leaf_nodes() if app in {"", key[0]}]
    state = executor.loader.project_state(list(executor.loader.applied_migrations))
    for migration, _ in executor.migration_plan(leaves):
        found = []
        for step in steps(migration, state, connection):
            if step.is_python and step.operation:
                found.append(Planned(step.operation.describe(), [], [], is_known=False))
            for statement in step.statements:
                with connection.cursor() as cursor:
                    found.append(_planned(cursor, statement, seconds=seconds))
        yield migration, found


def _planned(cursor: CursorWrapper, statement: str, *, seconds: float) -> Planned:
    found = effects(statement)
    impacts = [impact for effect in found for impact in _impact(cursor, effect)]
    there = [impact.effect for impact in impacts if impact.table]
    blockers = lasting_blockers_of(cursor, there, seconds=seconds)
    return Planned(statement, impacts, blockers)


def _impact(cursor: CursorWrapper, effect: Effect) -> Iterator[Impact]:
    if effect.lock <= Lock.ACCESS_SHARE:
        return
    if not (effect.table or effect.index):
        yield Impact(effect, "", 0, 0)  # it may be anything
        return
    cursor.execute(SIZE, {"table": quoted(effect.table), "index": quoted(effect.index)})
    table, size, rows = cursor.fetchone()
    if table:
        yield Impact(effect, table, size, rows)
