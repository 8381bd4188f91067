"""What could bypass the isolation of lines."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from monitoring.metrics.base import Metric
from monitoring.server import Row, Server
from tenancy import no_tenant
from tenancy.catalog import problems_of_server

# Objects that belong neither to the system nor to an extension.
OURS = """
{table}.{namespace} NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
AND {table}.{namespace}::regnamespace::text NOT LIKE 'pg\\_%%'
AND {table}.{owner} IN (SELECT relowner FROM pg_class WHERE oid = to_regclass('{tenants}'))
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = {table}.oid AND deptype = 'e')
"""
OUR_TABLES = OURS.format(
    tenants=settings.TENANT_TABLE, table="c", namespace="relnamespace", owner="relowner"
)
OUR_FUNCTIONS = OURS.format(
    tenants=settings.TENANT_TABLE, table="p", namespace="pronamespace", owner="proowner"
)


class SecurityMetric(Metric):
    group = "security"


class CatalogChecks(SecurityMetric):
    name = "catalog_checks"
    label = "Isolation checks"
    help = "The checks tenancy.E010 to W026: policies, grants, views, functions, triggers, logins."
    sql = "manage.py check --database default"
    summary = "{subject}: {message}"
    fix = "{hint}"

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        # As the login that serves requests, which is the one they check.
        with no_tenant():
            cursor.execute("SET LOCAL search_path = public")
            return [
                {
                    "subject": problem.id,
                    "value": 1,
                    "level": "critical" if problem.is_serious() else "warning",
                    "message": problem.msg,
                    "hint": problem.hint,
                }
                for problem in problems_of_server(cursor)
            ]


class UnforcedPolicies(SecurityMetric):
    name = "unforced_policies"
    label = "Row level security that is not forced"
    help = "Tables whose policies are off, or do not apply to the tables' owner."
    sql = f"""
        SELECT c.oid::regclass::text AS subject, 1 AS value, 'critical' AS level,
            CASE WHEN relrowsecurity THEN 'is not forced' ELSE 'is off' END AS what
        FROM pg_class c
        WHERE relkind IN ('r', 'p') AND {OUR_TABLES}
        AND (relrowsecurity OR EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid))
        AND NOT (relrowsecurity AND relforcerowsecurity)
    """
    summary = "row level security of {subject} {what}"
    fix = (
        "As replytics_owner: ALTER TABLE {subject} ENABLE ROW LEVEL SECURITY,"
        " FORCE ROW LEVEL SECURITY"
    )


class Superusers(SecurityMetric):
    name = "superusers"
    label = "Superusers"
    help = "Logins that bypass every policy, other than those in MONITORING_SUPERUSERS."
    sql = """
        SELECT rolname AS subject, 1 AS value, 'critical' AS level,
            CASE WHEN rolsuper THEN 'a superuser' ELSE 'exempt from row level security' END AS what
        FROM pg_roles
        WHERE (rolsuper OR rolbypassrls) AND rolcanlogin AND rolname <> ALL (%(expected)s)
    """
    summary = "the login {subject} is {what}"
    fix = (
        "ALTER ROLE {subject} NOSUPERUSER NOBYPASSRLS; if intended, add it to"
        " MONITORING_SUPERUSERS"
    )

    def parameters(self, server: Server) -> Mapping[str, Any]:
        return {"expected": settings.MONITORING_SUPERUSERS}


class OpenSearchPaths(SecurityMetric):
    name = "open_search_paths"
    label = "Functions without search_path"
    help = (
        "Functions that run with their owner's rights, or as a trigger, and whose caller decides"
        " which tables they use."
    )
    sql = f"""
        SELECT p.oid::regprocedure::text AS subject, 1 AS value,
            CASE WHEN prosecdef THEN 'critical' ELSE 'warning' END AS level
        FROM pg_proc p
        WHERE {OUR_FUNCTIONS} AND prosqlbody IS NULL
        AND (prosecdef OR prorettype = 'trigger'::regtype AND proname NOT LIKE 'procrastinate%%')
        AND NOT EXISTS (SELECT FROM unnest(proconfig) AS s WHERE s LIKE 'search_path=%%')
    """
    summary = "{subject} does not set its own search_path"
    fix = "As replytics_owner: ALTER ROUTINE {subject} SET search_path = pg_catalog, pg_temp"


class PublicGrants(SecurityMetric):
    name = "public_grants"
    label = "Grants to PUBLIC"
    help = "Rights of every login on the tables, sequences and schemas."
    sql = f"""
        SELECT c.oid::regclass::text AS subject, 1 AS value, 'critical' AS level,
            string_agg(privilege_type, ', ') AS privileges,
            CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass AS object
        FROM pg_class c, aclexplode(relacl)
        WHERE grantee = 0 AND {OUR_TABLES} GROUP BY c.oid, relkind
        UNION ALL
        SELECT nspname, 1, 'critical', string_agg(privilege_type, ', '), 'SCHEMA ' || nspname
        FROM pg_namespace n, aclexplode(nspacl)
        WHERE grantee = 0 AND privilege_type = 'CREATE' AND nspname NOT LIKE 'pg\\_%%'
        GROUP BY nspname
    """
    summary = "PUBLIC has {privileges} on {subject}"
    fix = "As its owner: REVOKE {privileges} ON {object} FROM PUBLIC"


METRICS: list[type[Metric]] = [
    CatalogChecks,
    UnforcedPolicies,
    Superusers,
    OpenSearchPaths,
    PublicGrants,
]
