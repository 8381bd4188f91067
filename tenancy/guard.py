"""Carries the scope to PostgreSQL inside the same message as each statement.

Django's psycopg cursors use the simple query protocol, in which one message of several
statements is one implicit transaction: set_config(..., true) lasts for exactly that message, or
for the surrounding transaction. So one round trip, nothing left on the connection, and the same
behaviour directly and behind a transaction pooler.

It sits in the driver's cursor class, below Django's: callproc(), copy() and cursors made from
connection.connection pass through it as everything else does.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import Cursor
from psycopg import ClientCursor
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composable

from database.statement_context import answered_in_time, context_settings
from tenancy.scope import END, active_scope, scope_sql

NO_SERVER_SIDE_CURSORS = (
    "A server-side cursor reads its rows under whatever scope is active when they are fetched,"
    " and does not survive a transaction pooler: page by key instead."
)


def scope_prefix(connection: Any) -> str | None:
    """What to send in front of the next statement on a psycopg connection."""
    status = connection.pgconn.transaction_status
    if status == TransactionStatus.INERROR:
        return None  # only the end of the transaction, or of its savepoint, can follow
    prefix = _carried(connection, status)
    # Its other settings are sent once per transaction.
    work = context_settings() if status == TransactionStatus.IDLE else ""
    if not work:
        return prefix
    return f"{prefix.removesuffix(END)},{work}{END}" if prefix else f"SELECT {work}{END}"


def _carried(connection: Any, status: TransactionStatus) -> str | None:
    if (scope := active_scope()) is not None:
        connection.carried_scope = True
        return scope.prefix
    if status == TransactionStatus.IDLE:
        connection.carried_scope = False
    # A scope that ended inside a transaction is taken back from the rest of it.
    return scope_sql("none", "") if getattr(connection, "carried_scope", False) else None


class ScopedCursor(Cursor, ClientCursor[Any]):
    """The cursor class of a guarded connection."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        with answered_in_time(self.connection):
            return self._execute_in_scope(query, params, **options)

    def _execute_in_scope(self, query: Any, params: Any, **options: Any) -> Any:
        prefix = scope_prefix(self.connection)
        if prefix is None:
            return super().execute(query, params, **options)
        if isinstance(query, str):
            message: Any = prefix + query
        elif isinstance(query, Composable):
            message = SQL(prefix) + query
        else:
            message = prefix.encode() + bytes(query)
        try:
            super().execute(message, params, **options)
        finally:
            if self._query is not None:  # for connection.queries: the statement as it was written
                self._query.query = self._query.query.removeprefix(prefix.encode())
        self.nextset()  # step over the row of set_config
        return self

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        with self._scope_sent_first():
            super().executemany(query, params_seq, **options)

    def stream(self, query: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with self._scope_sent_first():
            yield from super().stream(query, params, **options)

    @contextmanager
    def copy(self, statement: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with self._scope_sent_first(), super().copy(statement, params, **options) as copy:
            yield copy

    @contextmanager
    def _scope_sent_first(self) -> Iterator[None]:
        """For what cannot share a message: a statement before it, in the same transaction."""
        connection = self.connection
        prefix = scope_prefix(connection)
        if prefix is None:
            yield
            return
        idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
        with connection.transaction() if idle and connection.autocommit else nullcontext():
            with ClientCursor(connection) as own:
                own.execute(prefix)
            yield


def no_server_cursor(*args: Any, **options: Any) -> NoReturn:
    """What connection.connection.cursor(name=...) calls."""
    raise NotSupportedError(NO_SERVER_SIDE_CURSORS)


def refuse_server_cursor(
    execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """An execute wrapper: Django makes its named cursors without asking the connection."""
    if getattr(context["cursor"].cursor, "name", None):
        raise NotSupportedError(NO_SERVER_SIDE_CURSORS)
    return execute(sql, params, many, context)


def install(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Receiver of connection_created, which comes with every new connection of the driver's.

    Raises ImproperlyConfigured, with the connection closed, for options that would undo the guard.
    """
    if connection.vendor != "postgresql":
        return
    driver: Any = connection.connection
    options = connection.settings_dict["OPTIONS"]
    if options.get("server_side_binding") or not issubclass(driver.cursor_factory, ClientCursor):
        _refuse(connection, "server_side_binding", "the scope travels in each statement's message")
    if options.get("assume_role"):
        _refuse(connection, "assume_role", "the scope decides the role of each statement")
    driver.cursor_factory = ScopedCursor
    driver.server_cursor_factory = no_server_cursor
    if refuse_server_cursor not in connection.execute_wrappers:
        connection.execute_wrappers.append(refuse_server_cursor)


def _refuse(connection: BaseDatabaseWrapper, option: str, reason: str) -> NoReturn:
    connection.close()
    raise ImproperlyConfigured(
        f"DATABASES[{connection.alias!r}]: remove {option} from OPTIONS; {reason}."
    )
