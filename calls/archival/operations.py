"""The migration operations that go with a new column of calls."""

from typing import Any

from django.db import transaction
from django.db.migrations.operations.base import Operation

from calls.archival import month_locks

# The lines too, since the archive's foreign key is made again.
LOCK = "LOCK TABLE calls_archive, calls, phone_numbers IN ACCESS EXCLUSIVE MODE"

COLUMNS = """
SELECT a.attname, format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod))
    || coalesce(' COLLATE ' || quote_ident(c.collname), '')
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a
LEFT JOIN pg_collation c ON c.oid = a.attcollation AND c.collname <> 'default'
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
PARTITIONS = """
SELECT c.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'public.calls_archive'::regclass ORDER BY c.relname
"""
# Whatever makes the parent what it is, as the statements that make it again. NOT NULL constraints
# come with the columns.
PROPERTIES = """
SELECT format('ALTER TABLE public.calls_archive ADD CONSTRAINT %I %s', conname,
    pg_get_constraintdef(oid))
FROM pg_constraint
WHERE conrelid = 'public.calls_archive'::regclass AND contype IN ('c', 'p', 'u', 'f', 'x')
UNION ALL
SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
FROM pg_index i
WHERE indrelid = 'public.calls_archive'::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
UNION ALL
SELECT pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = 'public.calls_archive'::regclass AND NOT tgisinternal
UNION ALL
SELECT format('COMMENT ON TRIGGER %I ON public.calls_archive IS %L', tgname,
    obj_description(oid, 'pg_trigger'))
FROM pg_trigger WHERE tgrelid = 'public.calls_archive'::regclass AND NOT tgisinternal
UNION ALL
SELECT format('ALTER TABLE public.calls_archive %s ROW LEVEL SECURITY', word)
FROM pg_class, LATERAL (VALUES ('ENABLE', relrowsecurity), ('FORCE', relforcerowsecurity))
    AS flags (word, is_set)
WHERE oid = 'public.calls_archive'::regclass AND is_set
UNION ALL
SELECT format('CREATE POLICY %I ON public.calls_archive AS %s FOR %s TO %s', policyname,
    permissive, cmd, (SELECT string_agg(
        CASE r WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(r) END, ', ') FROM unnest(roles) r))
    || coalesce(' USING (' || qual || ')', '')
    || coalesce(' WITH CHECK (' || with_check || ')', '')
FROM pg_policies WHERE schemaname = 'public' AND tablename = 'calls_archive'
UNION ALL
SELECT format('GRANT %s ON public.calls_archive TO %s', privilege_type,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
FROM pg_class, aclexplode(relacl)
WHERE oid = 'public.calls_archive'::regclass AND grantee <> relowner
"""


def take_locks(schema_editor: Any) -> None:
    """Lock calls, its archive and the lines for the rest of the transaction.

    Raises OperationalError when others hold them at every try, for a minute and a half in all.
    """
    connection = schema_editor.connection

    def lock() -> None:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(month_locks.LOCK_TIMEOUT)
            cursor.execute(LOCK)

    month_locks.until_free(lock)


class LockCalls(Operation):
    """Take every lock of the operations that follow, in a migration that begins with it.

    Waits half a second at a time and gives way in between, holding nothing. AddField on Call
    alone would wait behind a long read for as long as it lasts, and all of intake behind it.
    """

    reversible = True
    reduces_to_sql = False

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        take_locks(schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        pass

    def describe(self) -> str:
        return "Lock calls, calls_archive and phone_numbers"


class ReorderArchiveColumns(Operation):
    """Put the columns of calls first in calls_archive again, in the order of calls.

    Stands after LockCalls, the AddField on Call and the one on CallArchive, in one migration.
    Only the order of the parent counts to `SELECT *` and INSERT, and the parent holds no rows: it
    is made again around the same partitions. None of them is rewritten or scanned, since each has
    the CHECK that app.create_archive_partitions gives it; readers of the archive wait meanwhile.
    Backwards there is nothing to do: without the column the order is right.
    """

    reversible = True
    reduces_to_sql = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(COLUMNS, ["public.calls"])
            live = [name for name, _ in cursor.fetchall()]
            cursor.execute(COLUMNS, ["public.calls_archive"])
            definitions = dict(cursor.fetchall())
            order = [*live, *(name for name in definitions if name not in live)]
            if order == list(definitions):
                return
        take_locks(schema_editor)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(PARTITIONS)
            partitions = cursor.fetchall()
            cursor.execute(PROPERTIES)
            properties = [statement for (statement,) in cursor.fetchall() if statement]
        columns = ", ".join(definitions[name] for name in order)
        for statement in [
            *(f"ALTER TABLE calls_archive DETACH PARTITION {name}" for name, _ in partitions),
            "DROP TABLE calls_archive",
            f"CREATE TABLE calls_archive ({columns}) PARTITION BY RANGE (created_at)",
            "REVOKE ALL ON calls_archive FROM PUBLIC",
            *properties,
            *(
                f"ALTER TABLE calls_archive ATTACH PARTITION {name} {bounds}"
                for name, bounds in partitions
            ),
        ]:
            schema_editor.execute(statement, None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        take_locks(schema_editor)  # for the operations that take the columns away

    def describe(self) -> str:
        return "Put the columns of calls first in calls_archive"
