"""The planner's statistics of the archive as a whole."""

import psycopg
from django.db import OperationalError, connection, transaction

from calls.archival.models import ArchiveRun
from calls.archival.month_locks import LOCK_TIMEOUT
from tenancy import all_tenants

ANALYZE = "SELECT app.analyze_archive()"


def analyze_after(run: ArchiveRun) -> None:
    """Refresh them after a run that moved calls. Skipped while others lock the archive."""
    if not run.calls:
        return
    try:
        with (
            all_tenants("analyze the archive"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(LOCK_TIMEOUT)
            cursor.execute(ANALYZE)
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise
