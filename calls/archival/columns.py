"""calls and calls_archive agree: the archive has every column of calls, of the same type.

Checked over the models by `manage.py check` (checks.py), and over the catalog before each run.
"""

from dataclasses import dataclass

from django.db import connection, models

from calls.archival.parts import PARTS

# The columns of call_metadata in the archive with those of the call's parts, and all that it has
# beside the columns of calls.
CARRIED = [
    *("metadata", "tags", "custom_fields", "metadata_created_at"),
    *(part.column for part in PARTS),
]
ARCHIVE_ONLY = [*CARRIED, "archived_at"]
METADATA = {"call_id", "phone_id", "metadata", "tags", "custom_fields", "created_at"}
KNOWN_CHILDREN = ["call_metadata", "imported_states"]

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod)
    || coalesce(' COLLATE ' || quote_ident(c.collname), '')
FROM pg_attribute a
LEFT JOIN pg_collation c ON c.oid = a.attcollation AND c.collname <> 'default'
WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""
CHILDREN = """
SELECT conrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND confrelid = 'public.calls'::regclass AND conparentid = 0
ORDER BY 1
"""

RECIPE = """\
Write a migration that adds it to both tables:

    operations = [
        {add_call}
        {add_archive}
    ]"""


@dataclass(frozen=True)
class Column:
    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


class ArchiveMismatch(Exception):
    """The archive cannot hold whole calls; the message says how to fix it."""


def model_columns(model: type[models.Model]) -> list[Column]:
    return [
        Column(field.column, field.db_type(connection) or "")
        for field in model._meta.local_concrete_fields
        if field.column is not None
    ]


def catalog_columns(table: str) -> list[Column]:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, {"table": f"public.{table}"})
        return [Column(*row) for row in cursor.fetchall()]


def disagreement(live: list[Column], archive: list[Column]) -> str | None:
    """What is wrong with the archive's columns, in one sentence; None when nothing is."""
    archived = {column.name: column for column in archive}
    for column in live:
        if column.name not in archived:
            return f"calls_archive lacks the column {column} of calls."
        if archived[column.name] != column:
            return f"calls has {column}, calls_archive has {archived[column.name]}."
    expected = {column.name for column in live}.union(ARCHIVE_ONLY)
    if differing := sorted(expected.symmetric_difference(archived)):
        return f"calls_archive differs from calls in the columns {', '.join(differing)}."
    return None


def recipe(name: str, definition: str) -> str:
    """The migration to write for a column of calls that the archive lacks."""
    added = 'migrations.AddField("{}", "{}", {}),'
    return RECIPE.format(
        add_call=added.format("call", name, definition),
        add_archive=added.format("callarchive", name, definition),
    )


def require_agreement() -> list[str]:
    """The columns of calls, in order. Raises ArchiveMismatch unless the archive can take them.

    Reads the catalog, since the run works on the database, not on the models.
    """
    live = catalog_columns("calls")
    if problem := disagreement(live, catalog_columns("calls_archive")):
        raise ArchiveMismatch(f"{problem} {recipe('…', '…')}")
    metadata = {column.name for column in catalog_columns("call_metadata")}
    if metadata != METADATA:
        raise ArchiveMismatch(
            "call_metadata differs from what the archiver expects in the columns"
            f" {', '.join(sorted(metadata ^ METADATA))}. Update calls/archival first."
        )
    with connection.cursor() as cursor:
        cursor.execute(CHILDREN)
        unknown = [name for (name,) in cursor.fetchall() if name not in KNOWN_CHILDREN]
    if unknown:
        raise ArchiveMismatch(
            "The archiver does not handle these tables, which reference calls:"
            f" {', '.join(unknown)}. Their rows would be deleted with the call, or block it."
            " Update calls/archival first."
        )
    return [column.name for column in live]
