"""Errors of a database that does not answer, and how to explain them."""

from django.conf import settings
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError

# Connecting failed, a lock or a statement took too long, the server stops or is a replica.
UNAVAILABLE_ERRORS = (OperationalError, InterfaceError, InternalError)
RETRY_AFTER = 5  # seconds, for the header of a 503


def cause_name(error: BaseException) -> str:
    """The class of an error's cause, for logs: its text may quote a row."""
    return type(error.__cause__ or error).__name__


def explain_unreachable(error: DatabaseError) -> str | None:
    """Advice when the database cannot be used at all; None for other errors."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state == "42P01":  # undefined_table
        return "the tables are missing or old; run python manage.py migrate"
    # libpq gives no code when it cannot connect; 08 and 57P: the connection was cut.
    if state is not None and not state.startswith(("08", "57P")):
        return None
    [reason, *_] = str(error).splitlines() or ["no answer"]
    if settings.EMBEDDED_DATABASE:
        return f"{reason}; start it with make run or python -m local.embedded start"
    return f"{reason}; check DATABASE_URL, OWNER_DATABASE_URL and that the server runs"
