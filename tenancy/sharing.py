"""The tables that belong to no line, and who may use them."""

from typing import Any

from django.apps import apps
from django.db import connections, router
from django.db.models import Model

from database.roles import STAFF, WEB
from tenancy.models import ScopedModel

PRIVILEGES = "SELECT, INSERT, UPDATE, DELETE"
# Roles of Supabase's own API, which get every new table of a login that Supabase made.
FOREIGN_ROLES = ["anon", "authenticated", "service_role"]
# Other packages' apps whose tables all lines share. Our models declare `shared_because`
# themselves, and in `api_may` the privileges of the API login.
SHARED_APPS = {
    "admin": "who changed what, staff only",
    "auth": "staff accounts and their permissions",
    "contenttypes": "names of models",
    "procrastinate": "jobs of the worker, which names no line",
    "sessions": "logins of staff",
}


def reason_to_share(model: type[Model]) -> str | None:
    """Why a model's rows belong to no line: its own `shared_because`, or the reason of its app."""
    own: str | None = getattr(model, "shared_because", None)
    return own or SHARED_APPS.get(model._meta.app_label)


def shared_models() -> list[type[Model]]:
    """Every concrete model outside tenancy, automatic many-to-many tables included."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if not issubclass(model, ScopedModel) and reason_to_share(model)
    ]


def grant_shared_tables(*, using: str, **_: Any) -> None:
    """Receiver of post_migrate: staff processes use the shared tables, the API login does not."""
    connection = connections[using]
    if connection.vendor != "postgresql" or not router.allow_migrate(using, "tenancy"):
        return
    # Those of other packages' apps; our models have their grants in migrations.
    tables = {
        model._meta.db_table for model in shared_models() if model._meta.app_label in SHARED_APPS
    }
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        for table in sorted(present & tables):
            for role in (WEB, STAFF):
                cursor.execute(
                    "SELECT bool_and(has_table_privilege(%s, %s, p)) FROM unnest(%s::text[]) AS p",
                    [role, table, PRIVILEGES.split(", ")],
                )
                if not cursor.fetchone()[0]:
                    cursor.execute(
                        f"GRANT {PRIVILEGES} ON {connection.ops.quote_name(table)} TO {role}"
                    )
                    for sequence in connection.introspection.get_sequences(cursor, table):
                        cursor.execute(f"GRANT USAGE ON SEQUENCE {sequence['name']} TO {role}")


FOREIGN_GRANTS = """
SELECT DISTINCT format('REVOKE ALL ON %%s FROM %%I', oid::regclass, grantee::regrole)
FROM pg_class, aclexplode(relacl)
WHERE oid IN (SELECT to_regclass(t) FROM unnest(%(tables)s::text[]) AS t)
AND grantee IN (SELECT to_regrole(r) FROM unnest(%(roles)s::text[]) AS r)
"""


def shut_out_foreign_roles(*, using: str, **_: Any) -> None:
    """Receiver of post_migrate: nobody reaches our tables past our own roles."""
    connection = connections[using]
    if connection.vendor != "postgresql" or not router.allow_migrate(using, "tenancy"):
        return
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    tables.append("django_migrations")
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_GRANTS, {"roles": FOREIGN_ROLES, "tables": tables})
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
