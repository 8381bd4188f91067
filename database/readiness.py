"""Whether a database can do what the product needs: be written to, in every table."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

READ_ONLY = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'"
MISSING = """
SELECT name FROM unnest(%(names)s::text[]) AS wanted (name)
WHERE NOT EXISTS (
    SELECT FROM pg_class WHERE relname = name AND relnamespace = 'public'::regnamespace
    AND relkind IN ('r', 'p', 'v'))
ORDER BY name
"""
# Sorted in a temporary file of two megabytes: any login may make one, it leaves nothing behind,
# and a full disk has no room for it.
USE_THE_DISK = """
SELECT set_config('work_mem', '64kB', true);
SELECT count(*) FROM (
    SELECT repeat('x', 100) || n FROM generate_series(1, 15000) AS n ORDER BY 1 DESC
) AS sorted
"""


def why_unusable(cursor: Any) -> str | None:
    """The reason that the database cannot serve; None when it can.

    Raises OperationalError of class 53 when its disk is full.
    """
    cursor.execute(READ_ONLY)
    is_standby, is_read_only = cursor.fetchone()
    if is_standby:
        return "the server is a standby; connect to the primary"
    if is_read_only:
        return "the server is read-only"
    cursor.execute(MISSING, {"names": sorted(_tables())})
    if missing := [name for (name,) in cursor.fetchall()]:
        shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        return f"{len(missing)} tables are missing ({shown}); run manage.py migrate"
    cursor.execute(USE_THE_DISK)
    return None


def _tables() -> Iterable[str]:
    """The tables and views of all models, and that of the migrations."""
    models = apps.get_models(include_auto_created=True)
    return {MigrationRecorder.Migration._meta.db_table, *(m._meta.db_table for m in models)}
