"""Statements that a request cannot do without, planned once for each connection.

PREPARE and EXECUTE of SQL, which travel with the scope in one message. A transaction pooler may
give each message another connection of the server's, which has not heard of the statement, or has:
then it is made there, or used. Its name is a digest of its text, so that one name is one text.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)

# SQLSTATEs of a statement that this connection of the server's has not, or has already.
UNKNOWN, KNOWN = "26000", "42P05"
# Of one connection; more is planned as it comes. Each takes some 100 kB of the server's memory.
MAX_COUNT = 50


class Statement:
    """SQL with named parameters, each of which has a PostgreSQL type."""

    def __init__(self, sql: str, **types: str) -> None:
        self.sql = sql
        self.types = types

    @cached_property
    def name(self) -> str:
        return "app_" + hashlib.sha256(self._prepare.encode()).hexdigest()[:32]

    @cached_property
    def execute(self) -> str:
        values = ", ".join(f"%({name})s" for name in self.types)
        return f"EXECUTE {self.name} ({values})" if values else f"EXECUTE {self.name}"

    @cached_property
    def prepare_and_execute(self) -> str:
        return f"PREPARE {self.name} {self._prepare.replace('%', '%%')};\n{self.execute}"

    @cached_property
    def _prepare(self) -> str:
        numbered = {name: f"${number}" for number, name in enumerate(self.types, 1)}
        types = f"({', '.join(self.types.values())})" if self.types else ""
        return f"{types} AS {self.sql % numbered}"

    def fetch_all(self, values: Mapping[str, Any]) -> list[Any]:
        """The rows. In a transaction, which an error would end, it is planned anew each time."""
        with connection.cursor() as cursor:
            if connection.in_atomic_block or not self._execute_prepared(cursor, values):
                cursor.execute(self.sql, values)
            rows: list[Any] = cursor.fetchall()
            return rows

    def _execute_prepared(self, cursor: Any, values: Mapping[str, Any]) -> bool:
        """False when the statement is better sent as it is."""
        prepared: set[str] = vars(connection.connection).setdefault("prepared", set())
        is_known = self.name in prepared
        if not is_known and len(prepared) == MAX_COUNT:
            return False
        prepared.add(self.name)
        for known in (is_known, not is_known):
            try:
                cursor.execute(self.execute if known else self.prepare_and_execute, values)
            except DatabaseError as error:
                if getattr(error.__cause__, "sqlstate", None) not in (UNKNOWN, KNOWN):
                    raise
            else:
                if not known:
                    cursor.nextset()
                return True
        return False  # the pooler changed connections in between

    def fetch_first(self, values: Mapping[str, Any]) -> list[Any]:
        """The same for the first statement of a request, on a connection that may be dead.

        Instead of asking whether it lives, which is a round trip of each request's, this is sent
        once more over a new one when it does not.
        """
        if connection.connection is None or connection.in_atomic_block:
            return self.fetch_all(values)
        connection.health_check_done = True  # type: ignore[attr-defined]
        try:
            return self.fetch_all(values)
        except (OperationalError, InterfaceError):
            if not connection.connection.closed:
                raise
            connection.close()
            return self.fetch_all(values)


def fetch_together(asked: Sequence[tuple[Statement, Mapping[str, Any]]]) -> list[Any] | None:
    """The rows of each statement, in one message, which is one transaction.

    None when they are to be asked one by one: they are not all known to the connection, it died,
    or a transaction is open already.
    """
    own: Any = connections[DEFAULT_DB_ALIAS]  # `connection` looks it up at each use
    prepared = getattr(own.connection, "prepared", ())
    if own.in_atomic_block or not all(one.name in prepared for one, _ in asked):
        return None
    own.health_check_done = True  # as in fetch_first
    values = {name: value for _, given in asked for name, value in given.items()}
    try:
        with own.cursor() as cursor:
            cursor.execute(";\n".join([one.execute for one, _ in asked]), values)
            # All of it has arrived, so nothing fails from here on that Django would translate.
            return [rows.fetchall() for rows in cursor.results()]
    except (DatabaseError, InterfaceError) as error:
        if own.connection.closed or getattr(error.__cause__, "sqlstate", "") == UNKNOWN:
            return None
        raise
