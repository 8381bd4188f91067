"""System checks of a database: `manage.py check --database default`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import DatabaseError, connections

from database.errors import explain_unreachable
from database.readiness import why_unusable


def check_databases(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """database.E001 and E002, of the databases that are named."""
    problems: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        try:
            with connection.cursor() as cursor:
                reason = why_unusable(cursor)
        except DatabaseError as error:
            reason = explain_unreachable(error) or str(error).partition("\n")[0]
            problems.append(
                Error(
                    f"Database {alias} does not answer: {reason}.",
                    hint="Start the server, or correct its URL; then run this again.",
                    id="database.E001",
                )
            )
            continue
        if reason:
            problems.append(
                Error(f"Database {alias} cannot be used: {reason}.", id="database.E002")
            )
    return problems
