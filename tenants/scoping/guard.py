"""Carries the scope to PostgreSQL inside the same message as each statement.

Django's psycopg cursors use the simple query protocol, in which one message of several
statements is one implicit transaction: set_config(..., true) lasts for exactly that message, or
for the surrounding transaction. So one round trip, nothing left on the connection, and the same
behaviour directly and behind a transaction pooler.
"""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from tenants.scoping.scope import NoTenantActive, active_scope, scope_sql

_NO_SCOPE = scope_sql("none", "")
# These must also run in an aborted transaction, where set_config would fail.
_SAVEPOINTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


def carry_scope(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """An execute wrapper: https://docs.djangoproject.com/en/5.2/topics/db/instrumentation/"""
    connection, cursor = context["connection"], context["cursor"].cursor
    is_text = isinstance(sql, str)
    if is_text and sql.startswith(_SAVEPOINTS):
        return execute(sql, params, many, context)
    scope = active_scope()
    if scope is not None:
        prefix = scope.prefix
        connection.scope_was_set = True
    elif connection.in_atomic_block and getattr(connection, "scope_was_set", False):
        prefix = _NO_SCOPE  # a scope ended inside this transaction
    else:
        return execute(sql, params, many, context)
    if many or not is_text or getattr(cursor, "name", None):
        if not connection.in_atomic_block:
            raise NoTenantActive("executemany and server-side cursors need transaction.atomic()")
        with connection.connection.cursor() as own:
            own.execute(prefix)
        return execute(sql, params, many, context)
    result = execute(prefix + sql, params, many, context)
    cursor.nextset()  # step over the row of set_config
    return result


def install(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Receiver of connection_created."""
    if connection.vendor == "postgresql" and carry_scope not in connection.execute_wrappers:
        connection.execute_wrappers.append(carry_scope)
