"""Statements that a request cannot do without, planned once for each connection.

PREPARE and EXECUTE of SQL, which travel with the scope in one message. A transaction pooler may
give each message another connection of the server's, which has not heard of the statement, or has:
then it is made there, or used. Its name is a digest of its text, so that one name is one text.
"""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections

from database.statement_context import NoAnswer

# SQLSTATEs: this connection of the server's does not have the statement, or has it already.
NOT_PREPARED, ALREADY_PREPARED = "26000", "42P05"
# Of one connection; more is planned as it comes. Each takes some 100 kB of the server's memory.
MAX_PREPARED = 50


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
        """The rows. In a transaction, which an error would end, it is planned anew each time.

        The first statement of a request is sent once more over a new connection when the old one
        turns out to be dead, so it must do no harm twice. That replaces CONN_HEALTH_CHECKS, which
        would cost each request a round trip.
        """
        own: Any = connections[DEFAULT_DB_ALIAS]  # `connection` looks it up at each use
        if own.connection is None or own.in_atomic_block:
            return self._fetch_all(own, values)
        is_checked, own.health_check_done = own.health_check_done, True
        try:
            return self._fetch_all(own, values)
        except OperationalError as error:
            is_silent = isinstance(error.__cause__, NoAnswer)
            if is_checked or is_silent or not own.connection.closed:
                raise
            own.close()
            return self._fetch_all(own, values)

    def _fetch_all(self, own: Any, values: Mapping[str, Any]) -> list[Any]:
        with own.cursor() as cursor:
            if own.in_atomic_block or not self._execute_prepared(own, cursor, values):
                cursor.execute(self.sql, values)
            rows: list[Any] = cursor.fetchall()
            return rows

    def _execute_prepared(self, own: Any, cursor: Any, values: Mapping[str, Any]) -> bool:
        """False when the statement is better sent as it is."""
        prepared: set[str] = vars(own.connection).setdefault("prepared", set())
        is_prepared = self.name in prepared
        if not is_prepared and len(prepared) == MAX_PREPARED:
            return False
        prepared.add(self.name)
        for execute_only in (is_prepared, not is_prepared):
            sql = self.execute if execute_only else self.prepare_and_execute
            try:
                cursor.execute(sql, values)
            except DatabaseError as error:
                sqlstate = getattr(error.__cause__, "sqlstate", None)
                if sqlstate not in (NOT_PREPARED, ALREADY_PREPARED):
                    raise
            else:
                if not execute_only:
                    cursor.nextset()
                return True
        return False  # the pooler changed connections in between
