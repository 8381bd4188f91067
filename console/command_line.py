"""How manage.py runs a command: what an operator can mend is one line and an exit code."""

import sys

from django.conf import settings
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError
from django.db.migrations.exceptions import NodeNotFoundError

from console.interrupts import INTERRUPTED, was_interrupted

# By SQLSTATE.
ADVICE = {
    "25006": "the server or the database is read-only; name the primary in the URL of the login",
    "42501": "the login may not do that; run create_roles, and check DATABASE_URL",
    "42703": "the tables are old; run python manage.py migrate",
    "42883": "the functions are old; run python manage.py migrate",
    "40001": "run the command again",
    "40P01": "run the command again",
    "53100": "free space on the server's disk",
    "53200": "the server is short of memory",
    "53300": "end sessions, or raise max_connections",
    "55P03": "somebody else holds the lock; run the command again",
    "57014": "it took longer than it may; run the command again",
}


def main(arguments: list[str]) -> None:
    """Run the command of these arguments. Ends the process with its exit code unless it is 0."""
    try:
        execute_from_command_line(arguments)
    except SystemExit:
        raise
    except BaseException as error:
        if "--traceback" in arguments:
            raise
        if isinstance(error, AppRegistryNotReady):
            error = _reason_for_no_apps() or error
        if was_interrupted(error):
            print("Interrupted; run the command again.", file=sys.stderr)
            sys.exit(INTERRUPTED)
        sys.exit(explain(error) or _traceback(error))


def _traceback(error: BaseException) -> str:
    from database.errors import format_traceback  # it reads the settings

    return format_traceback(error)


def _reason_for_no_apps() -> ImproperlyConfigured | None:
    """Some of Django's own commands run without settings, and fail later."""
    try:
        settings.INSTALLED_APPS  # noqa: B018
    except ImproperlyConfigured as error:
        return error
    return None


def explain(error: BaseException) -> str | None:
    """What happened and what to do, in one line; None for our own defects."""
    if isinstance(error, ImproperlyConfigured):
        return f"Settings: {error}"
    if isinstance(error, DatabaseError):
        reason = _of_the_database(error)
        return reason and f"Database: {reason}"
    if isinstance(error, NodeNotFoundError):
        return f"Migrations: {error}"
    if isinstance(error, OSError):
        return f"{error.filename or 'A file'}: {error.strerror or error}"
    return None


def _of_the_database(error: DatabaseError) -> str | None:
    from database.errors import explain_unreachable, is_refusal, sqlstate  # they read the settings

    if reason := explain_unreachable(error):
        return reason
    message: str | None = getattr(getattr(error.__cause__, "diag", None), "message_primary", None)
    if advice := ADVICE.get(sqlstate(error) or ""):
        return f"{message}; {advice}"
    return message if is_refusal(error) else None
