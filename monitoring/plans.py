"""The plan of a statement that pg_stat_statements has seen, without running it."""

import re
from contextlib import nullcontext

from django.db import DatabaseError, connection

from database.roles import STAFF
from monitoring.models import Statement
from monitoring.server import read_only_transaction
from tenancy import no_tenant

PLANNED = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b", re.IGNORECASE)
PARAMETER = re.compile(r"\$[0-9]")
GENERIC_SINCE = 160_000  # EXPLAIN (GENERIC_PLAN)
WITHOUT_VALUES = "PostgreSQL 15 cannot plan a statement without its values; 16 and later can"


class NoPlan(Exception):
    """The statement cannot be planned; the message is the reason."""


def plan_of(statement: Statement) -> str:
    """The generic plan, as EXPLAIN writes it. Raises NoPlan.

    As the role that ran it: staff, or the serving login, whose plan has the policies. The
    transaction is read-only and rolled back, and values were taken out of the text long ago.
    """
    text = statement.text.rstrip("; ")
    if not PLANNED.match(text):
        raise NoPlan("only SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES have a plan")
    if ";" in text:  # a second statement would run
        raise NoPlan("the text holds more than one statement")
    with read_only_transaction(reason="plan of a statement") as cursor:
        options = "VERBOSE"
        if PARAMETER.search(text):
            if connection.connection.info.server_version < GENERIC_SINCE:
                raise NoPlan(WITHOUT_VALUES)
            options = "GENERIC_PLAN, VERBOSE"
        try:
            with nullcontext() if statement.role == STAFF else no_tenant():
                cursor.execute(f"EXPLAIN ({options}) {text}")
        except DatabaseError as error:
            message = getattr(getattr(error.__cause__, "diag", None), "message_primary", None)
            raise NoPlan(f"the server reported: {message or type(error).__name__}") from None
        return "\n".join(line for (line,) in cursor.fetchall())
