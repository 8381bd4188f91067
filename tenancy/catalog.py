"""System checks of the server: whether its catalog matches the models.

They judge the login that serves requests, so they run for the database "default" alone: with
`manage.py check --database default` and before a server takes its first request. The owner's
`migrate` must not be stopped by what it is about to fix.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info
from django.core.checks import Warning as CheckWarning
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

from database.roles import API, INTAKE, STAFF, WEB, wanted_settings
from tenancy.catalog_rules import RULES, Rule
from tenancy.constraints import TenantRLS
from tenancy.scope import no_tenant
from tenancy.sharing import FOREIGN_ROLES, shared_models
from tenancy.triggers import MatchParentTenant

OTHER_LOGIN = Info(
    "Row level security was not checked: that needs the login that serves requests.",
    hint="Run: python manage.py check --database default",
    id="tenancy.I001",
)


def problems_of_server(cursor: Any) -> list[CheckMessage]:
    """tenancy.E010 to W026; the cursor belongs to the serving login, in no scope.

    Nothing before the first migration.
    """
    cursor.execute("SELECT to_regclass(%s) IS NULL", [settings.TENANT_TABLE])
    if cursor.fetchone()[0]:
        return []
    promised = _promised()
    return [problem for rule in RULES for problem in _problems(cursor, rule, promised)]


def check_server(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """problems_of_server() of the databases that are named; none of a server out of reach."""
    problems: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        if alias != DEFAULT_DB_ALIAS:
            problems.append(OTHER_LOGIN)
            continue
        try:
            connection.ensure_connection()
        except OperationalError:
            continue
        with no_tenant(), transaction.atomic(using=alias), connection.cursor() as cursor:
            # What decides how the catalog spells names.
            cursor.execute("SET LOCAL search_path = public")
            problems += problems_of_server(cursor)
    return problems


def _promised() -> dict[str, Any]:
    """The parameters of every rule's query."""
    tenant_tables = [
        (model._meta.db_table, rule.column)
        for model in apps.get_models()
        for rule in model._meta.constraints
        if isinstance(rule, TenantRLS) and not model._meta.proxy
    ]
    held: list[tuple[Any, MatchParentTenant]] = [
        (model, trigger)
        for model in apps.get_models()
        for trigger in getattr(model._meta, "triggers", ())
        if isinstance(trigger, MatchParentTenant) and not model._meta.proxy
    ]
    shared = shared_models()
    return wanted_settings() | {
        "tenant_table": settings.TENANT_TABLE,
        "web": WEB,
        "api": API,
        "intake": INTAKE,
        "staff": STAFF,
        "foreign": FOREIGN_ROLES,
        "tables": [table for table, _ in tenant_tables],
        "lines": [line for _, line in tenant_tables],
        "shared": [model._meta.db_table for model in shared],
        "api_may": [getattr(model, "api_may", "") for model in shared],
        "held_tables": [model._meta.db_table for model, _ in held],
        "held_keys": [f"{model._meta.db_table}.{trigger.column}" for model, trigger in held],
        "held_triggers": [trigger.get_pgid(model) for model, trigger in held],
        "held_bodies": [trigger.render_func(model) for model, trigger in held],
        "held_names": [trigger.get_uri(model) for model, trigger in held],
    }


def _problems(cursor: Any, rule: Rule, promised: dict[str, Any]) -> Iterator[CheckMessage]:
    cursor.execute(rule.query, promised)
    columns = [column.name for column in cursor.description]
    for row in cursor.fetchall():
        found = dict(zip(columns, row, strict=True))
        kind = Error if rule.is_error else CheckWarning
        yield kind(rule.message.format(**found), hint=rule.fix.format(**found), id=rule.id)
