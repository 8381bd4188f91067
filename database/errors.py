"""What an error of the database means: it is unavailable, a value is wrong, or the program is."""

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import DatabaseError, DataError, Error, OperationalError
from psycopg.errors import Diagnostic

RETRY_AFTER = 5  # seconds, for the header of a 503

# By https://www.postgresql.org/docs/current/errcodes-appendix.html. The connection was lost (also
# what a pooler reports), a resource is exhausted (a full disk), an operator or a timeout ended the
# statement, the server has an error of its own.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
_UNAVAILABLE_STATES = {
    "25006",  # the server is read-only: a standby, or one that was demoted
    "25P03",  # a transaction was idle for too long, and its session was ended
    "25P04",  # a transaction took too long
    "40001",  # could not be serialized
    "40003",  # the connection was lost, and it is not known whether it was committed
    "40P01",  # a deadlock
    "55P03",  # a lock was not granted in time
}
# What only a value that somebody sent can cause: text that is too long, a number or a moment out
# of range, a NUL, and \u0000 in JSON. Any other error of class 22, such as a division by zero, is
# an error of the program.
_VALUE_STATES = {"22001", "22003", "22008", "22021", "22P05"}
# Their messages quote values.
_QUOTING = re.compile("22|42601")
_PLACE = re.compile(r"PL/pgSQL function ([\w.]+)(?:\(.*?\))? line (\d+)")


def sqlstate(error: BaseException) -> str | None:
    """The server's code; None when it gave none, as when it cannot be reached."""
    return _diagnosis(error).sqlstate


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the same request may succeed later: the database is away, busy, full or read-only.

    Every other error of the database is the fault of a value or of the program. The error may be
    of the driver itself, as that of a COPY is.
    """
    if not isinstance(error, DatabaseError | psycopg.DatabaseError):
        return False
    state = sqlstate(error)
    if state is None:  # libpq lost the connection, or could not make it
        return isinstance(error, OperationalError | psycopg.OperationalError)
    if _diagnosis(error).severity_nonlocalized in {"FATAL", "PANIC"}:
        return True  # the session was ended, whatever the reason
    return state.startswith(_UNAVAILABLE_CLASSES) or state in _UNAVAILABLE_STATES


def is_refusal(error: BaseException) -> bool:
    """Whether one of our functions or triggers raised it, with a message for people."""
    return _diagnosis(error).source_function == "exec_stmt_raise"


def is_value_error(error: BaseException) -> bool:
    """Whether the database refused a value that somebody sent."""
    if not isinstance(error, DataError):
        return False
    # psycopg itself refuses a NUL, before the server sees it.
    return sqlstate(error) in _VALUE_STATES or "NUL (0x00)" in str(error)


@contextmanager
def optional_step(logger: logging.Logger, failed: str) -> Iterator[None]:
    """For what the rest can do without: an error of the database in the block is only logged.

    With its traceback, unless the database is unavailable: else it is a defect of the program.
    """
    try:
        yield
    except DatabaseError as error:
        if is_unavailable(error):
            logger.warning("%s: %s", failed, cause_name(error))
        else:
            logger.exception("%s: %s", failed, cause_name(error))


def cause_name(error: BaseException) -> str:
    """The class of an error's cause, for logs: its text may quote a row."""
    return type(error.__cause__ or error).__name__


def format_traceback(error: BaseException) -> str:
    """The traceback of an error and of its causes, in which no error of the database quotes a row.

    PostgreSQL's DETAIL, LINE and CONTEXT are left out: they hold values.
    """
    return "".join(_traceback_lines(error)).rstrip("\n")


def _traceback_lines(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _traceback_lines(before)
        how = "the direct cause of" if error.__cause__ else "handled when this happened before"
        yield f"\nThe above exception was {how} the following exception:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    if isinstance(error, psycopg.Error | Error):
        yield f"{type(error).__module__}.{type(error).__qualname__}: {_without_values(error)}\n"
    else:
        yield from traceback.format_exception_only(error)


def _without_values(error: BaseException) -> str:
    """The code, message and place of an error of the database."""
    found = _diagnosis(error)
    if found.sqlstate is None:
        return "(no code)"
    place = _PLACE.search(found.context or "")
    parts = (
        cause_name(error),
        "" if _QUOTING.match(found.sqlstate) else found.message_primary,
        found.constraint_name and f"constraint {found.constraint_name}",
        place and f"in function {place[1]}, line {place[2]}",
    )
    return f"{found.sqlstate} {'; '.join(filter(None, parts))}"


def _diagnosis(error: BaseException) -> Diagnostic:
    """What the server reported, in the driver's error or in Django's that was made of it."""
    for found in (error.__cause__, error):
        if isinstance(found, psycopg.Error):
            return found.diag
    return Diagnostic(None)


def explain_unreachable(error: DatabaseError) -> str | None:
    """Advice when the database cannot be used at all; None for other errors."""
    state = sqlstate(error)
    if state == "42P01":  # undefined_table
        return "the tables are missing or old; run python manage.py migrate"
    # libpq gives no code when it cannot connect; 08 and 57P: the connection was cut.
    if state is not None and not state.startswith(("08", "57P")):
        return None
    [reason, *_] = str(error).splitlines() or ["no answer"]
    if settings.EMBEDDED_DATABASE:
        return f"{reason}; start it with make run or python -m local.embedded start"
    return f"{reason}; check DATABASE_URL, OWNER_DATABASE_URL and that the server runs"
