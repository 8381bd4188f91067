"""The server's version and settings, and what the serving login can see of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from tenancy import all_tenants

Row = dict[str, Any]

STATEMENT_TIMEOUT = 5_000  # milliseconds; for what reads the catalog
LOCK_TIMEOUT = 200  # milliseconds: a report must not wait behind a migration

FACTS = """
SELECT current_setting('server_version_num')::int / 10000 AS version,
    current_database() AS database, session_user AS login, clock_timestamp() AS now,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()) AS counted_since,
    (SELECT array_agg(extname) FROM pg_extension) AS extensions
"""
# The counters of a database that never was reset are as old as its tables.
FIRST_MIGRATION = "SELECT min(applied) FROM django_migrations"

LIMITED_VIEW = (
    "the login {login} sees only its own sessions and statements; as an administrator:"
    " GRANT pg_read_all_stats TO replytics_staff (on Supabase: pg_monitor), or run create_roles"
)


@dataclass(frozen=True)
class Server:
    """Facts that hold for a whole report."""

    version: int  # 15 to 18
    database: str
    login: str
    now: datetime
    sees_all: bool
    counted_since: datetime | None
    extensions: tuple[str, ...]

    @property
    def age_of_counters(self) -> timedelta | None:
        """How long the counters of tables and indexes have counted; None: unknown."""
        return self.now - self.counted_since if self.counted_since else None


def inspect_server(cursor: Any) -> Server:
    """Read the facts."""
    [facts] = rows(cursor, FACTS)
    if facts["counted_since"] is None:
        cursor.execute(FIRST_MIGRATION)
        facts["counted_since"] = cursor.fetchone()[0]
    return Server(**facts | {"extensions": tuple(facts["extensions"])})


@contextmanager
def read_only_transaction(*, reason: str, timeout: int = STATEMENT_TIMEOUT) -> Iterator[Any]:
    """A staff cursor in a read-only transaction that is rolled back.

    timeout is in milliseconds and holds for each statement.
    """
    with all_tenants(reason), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL statement_timeout = {timeout}; SET LOCAL lock_timeout = {LOCK_TIMEOUT};"
            " SET LOCAL transaction_read_only = on"
        )
        try:
            yield cursor
        finally:
            transaction.set_rollback(True)


def rows(cursor: Any, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """The answer, each row as a dictionary."""
    cursor.execute(sql, parameters)
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
