"""One line for the commonest trouble: the database is not there, or not made yet."""

from django.conf import settings
from django.db import DatabaseError


def explain(error: DatabaseError) -> str | None:
    """What to check when the database could not be used at all; None for any other error."""
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
