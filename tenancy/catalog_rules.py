"""What can be wrong in the server's catalog, and the statement that fixes it."""

from dataclasses import dataclass

from tenancy.constraints import policies_sql

# The logins that serve requests: ours, and the one that asks.
LOGINS = """
logins AS (
    SELECT oid, rolname, quote_ident(rolname) AS login, rolsuper, rolbypassrls FROM pg_roles
    WHERE rolname IN (session_user, %(web)s, %(api)s, %(intake)s)
), owner AS (
    SELECT relowner AS oid FROM pg_class WHERE oid = to_regclass(%(tenant_table)s)
), readers AS (
    SELECT rolname::text AS reader FROM logins, owner
    WHERE NOT pg_has_role(logins.oid, owner.oid, 'MEMBER')
    UNION ALL SELECT 'public'
)"""
# The tables of tenant models and whatever else has phone_id: partitions, copies. A table that
# neither our owner made nor a request can reach is not ours; Supabase has schemas full of those.
TENANT_TABLES = f"""{LOGINS}, tenant_tables AS (
    SELECT c.oid, c.oid::regclass::text AS relation, c.relowner, c.relacl,
           c.relrowsecurity AND c.relforcerowsecurity AS is_forced,
           coalesce(model.line, 'phone_id') AS line
    FROM pg_class c
    LEFT JOIN unnest(%(tables)s::text[], %(lines)s::text[]) AS model (name, line)
        ON to_regclass(model.name) = c.oid
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    AND (model.name IS NOT NULL OR EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = c.oid AND attname = 'phone_id' AND NOT attisdropped))
    AND NOT EXISTS (SELECT FROM unnest(%(shared)s::text[]) t WHERE to_regclass(t) = c.oid)
    AND (c.relowner = (SELECT oid FROM owner) OR EXISTS (
        SELECT FROM readers
        WHERE has_table_privilege(reader, c.oid, 'SELECT, INSERT, UPDATE, DELETE')
        OR has_any_column_privilege(reader, c.oid, 'SELECT, INSERT, UPDATE')))
)"""
# What shows tenant rows to requests without being a table, through however many views.
SHOWN = f"""{TENANT_TABLES}, showing AS (
    SELECT oid FROM tenant_tables
    UNION
    SELECT r.ev_class FROM showing
    JOIN pg_depend d ON d.refobjid = showing.oid AND d.refclassid = 'pg_class'::regclass
        AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid
), shown AS (
    SELECT c.oid, c.oid::regclass::text AS relation, c.relkind, c.reloptions FROM pg_class c
    WHERE (c.oid IN (SELECT oid FROM showing) AND c.relkind IN ('v', 'm') OR EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = c.oid AND attname = 'phone_id' AND c.relkind = 'f'))
    AND EXISTS (SELECT FROM readers WHERE has_any_column_privilege(reader, c.oid, 'SELECT')
                AND has_schema_privilege(reader, c.relnamespace, 'USAGE'))
)"""
# Functions that run with the rights of a role that passes the policies.
DEFINERS = f"""{LOGINS}, definers AS (
    SELECT p.oid, p.oid::regprocedure::text AS function, p.proconfig FROM pg_proc p, owner
    WHERE p.prosecdef AND p.proowner IN (owner.oid, to_regrole(%(staff)s))
)"""

# What the logins' sessions begin with, beside what create_roles sets.
OWN_SETTINGS = """
wanted AS (
    SELECT * FROM unnest(%(wanted_logins)s::text[], %(wanted_names)s::text[],
        %(wanted_values)s::text[]) AS w (login, name, value)
), own AS (
    SELECT rolname::text AS login, name, value, format('%%s = %%s', name, value) AS setting,
        format('ALTER ROLE %%I%%s RESET %%s', rolname,
            (SELECT format(' IN DATABASE %%I', datname) FROM pg_database d
             WHERE d.oid = setdatabase), name) AS reset,
        name IN ('role', 'search_path', 'row_security', 'session_replication_role')
        OR name LIKE 'app.%%' AS is_dangerous, setdatabase <> 0 AS in_database
    FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole, unnest(setconfig) AS config,
    LATERAL (SELECT split_part(config, '=', 1) AS name,
                    substr(config, strpos(config, '=') + 1) AS value) AS parts
    WHERE rolname IN (SELECT login FROM wanted) AND (setdatabase = 0 OR setdatabase = (
        SELECT d.oid FROM pg_database d WHERE datname = current_database()))
)"""


@dataclass(frozen=True)
class Rule:
    """A query for problems, and the fix for each row of its result.

    message and fix are templates over the query's columns. Only an error stops a server's start.
    """

    id: str
    query: str
    message: str
    fix: str
    is_error: bool = True


RULES = [
    Rule(
        id="tenancy.E010",
        query=f"""
            WITH {LOGINS}
            SELECT login, CASE WHEN rolsuper THEN 'a superuser' ELSE 'BYPASSRLS' END AS what
            FROM logins WHERE rolsuper OR rolbypassrls
        """,
        message="The login {login} is {what}, and bypasses every policy.",
        fix="As an administrator: ALTER ROLE {login} NOSUPERUSER NOBYPASSRLS",
    ),
    Rule(
        id="tenancy.E011",
        query=f"WITH {TENANT_TABLES} SELECT relation FROM tenant_tables WHERE NOT is_forced",
        message="Row level security of {relation} is not both enabled and forced.",
        fix="As replytics_owner: ALTER TABLE {relation} ENABLE ROW LEVEL SECURITY,"
        " FORCE ROW LEVEL SECURITY",
    ),
    Rule(
        id="tenancy.E012",
        query=f"""
            WITH {TENANT_TABLES}, policies AS (
                SELECT polrelid, polname, polcmd = '*' AND polpermissive AND CASE polname
                    WHEN 'tenant' THEN polroles = '{{0}}' AND using_text = condition
                        AND check_text = condition
                    WHEN 'staff' THEN polroles = ARRAY[to_regrole(%(staff)s)::oid]
                        AND using_text = 'true' AND check_text = 'true'
                    ELSE false END AS is_right
                FROM pg_policy JOIN tenant_tables t ON t.oid = polrelid, LATERAL (
                    SELECT pg_get_expr(polqual, polrelid) AS using_text,
                           pg_get_expr(polwithcheck, polrelid) AS check_text,
                           format('(%%I = ( SELECT app.phone() AS phone))', line) AS condition
                ) AS texts
            )
            SELECT relation, line,
                   concat(string_agg(
                       'DROP POLICY ' || quote_ident(polname) || ' ON ' || relation || '; ', ''
                   )) AS drop_policies
            FROM tenant_tables LEFT JOIN policies ON polrelid = oid
            GROUP BY relation, line
            HAVING count(*) FILTER (WHERE is_right) <> 2 OR count(*) <> 2
        """,
        message="The policies of {relation} differ from the two that its model declares.",
        fix="As replytics_owner: {drop_policies}" + policies_sql("{relation}", "{line}"),
    ),
    Rule(
        id="tenancy.E013",
        query=f"WITH RECURSIVE {SHOWN} SELECT relation FROM shown WHERE relkind IN ('m', 'f')",
        message="{relation} shows the calls of every line: no policy can protect it.",
        fix="As replytics_owner:"
        " REVOKE ALL ON {relation} FROM PUBLIC, replytics_api, replytics_web",
    ),
    Rule(
        id="tenancy.E014",
        query=f"""
            WITH RECURSIVE {SHOWN}, options AS (
                SELECT s.oid, option_name FROM shown s, pg_options_to_table(reloptions)
                -- Other options, such as check_option, hold other values.
                WHERE CASE WHEN option_name IN ('security_invoker', 'security_barrier')
                    THEN option_value::boolean END
            )
            SELECT relation FROM shown s WHERE relkind = 'v'
            AND NOT EXISTS (
                SELECT FROM options o WHERE o.oid = s.oid AND option_name = 'security_invoker')
            AND NOT (
                EXISTS (
                    SELECT FROM options o WHERE o.oid = s.oid AND option_name = 'security_barrier')
                AND EXISTS (
                    SELECT FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid
                    AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_proc'::regclass
                    AND d.refobjid = to_regprocedure('app.phone()')
                    WHERE r.ev_class = s.oid))
        """,
        message="The view {relation} reads with its owner's rights, bypassing every policy. It"
        " must be a security_invoker, or a security_barrier with a condition on app.phone().",
        fix="As replytics_owner: ALTER VIEW {relation} SET (security_invoker = true)",
    ),
    Rule(
        id="tenancy.E015",
        query=f"""
            WITH {TENANT_TABLES}
            SELECT relation, privilege_type AS privilege,
                   CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(rolname) END AS role
            FROM tenant_tables t, aclexplode(relacl) LEFT JOIN pg_roles r ON r.oid = grantee
            WHERE privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') AND grantee <> relowner
        """,
        message="{role} has {privilege} on {relation}, which no policy limits.",
        fix="As replytics_owner: REVOKE {privilege} ON {relation} FROM {role}",
    ),
    Rule(
        id="tenancy.E016",
        query=f"""
            WITH {LOGINS}
            SELECT login, CASE WHEN current_setting('server_version_num')::int >= 160000
                THEN format('GRANT %%I TO %%s WITH INHERIT FALSE', %(staff)s, login)
                ELSE format('ALTER ROLE %%s NOINHERIT', login) END AS fix
            FROM logins JOIN readers ON reader = rolname
            WHERE pg_has_role(oid, to_regrole(%(staff)s), 'USAGE')
        """,
        message="The login {login} inherits replytics_staff, so each of its statements sees all"
        " lines.",
        fix="As an administrator: {fix}",
    ),
    Rule(
        id="tenancy.E017",
        query="""
            SELECT rolname AS login FROM pg_roles
            WHERE rolname IN (%(api)s, %(intake)s) AND NOT rolsuper
            AND pg_has_role(oid, to_regrole(%(staff)s), 'MEMBER')
        """,
        message="The login {login} may become replytics_staff, and see all lines.",
        fix="As an administrator: REVOKE replytics_staff FROM {login}",
    ),
    Rule(
        id="tenancy.E018",
        query=rf"""
            WITH {DEFINERS}
            SELECT function FROM definers WHERE NOT EXISTS (
                SELECT FROM unnest(proconfig) AS setting
                WHERE setting ~ '^search_path=(.*\mpg_temp"?|"")$')
        """,
        message="The function {function} runs as a role that bypasses the policies, and whoever"
        " calls it chooses which tables it means: its search_path is not fixed, pg_temp last.",
        fix="As replytics_owner: ALTER ROUTINE {function} SET search_path = pg_catalog, pg_temp",
    ),
    Rule(
        id="tenancy.E019",
        query=f"""
            WITH {DEFINERS}
            SELECT function FROM definers WHERE has_function_privilege('public', oid, 'EXECUTE')
        """,
        message="PUBLIC may execute {function}, which runs as a role that bypasses the policies.",
        fix="As replytics_owner: REVOKE ALL ON ROUTINE {function} FROM PUBLIC",
    ),
    Rule(
        id="tenancy.E020",
        query="""
            SELECT to_regclass(name)::text AS relation, string_agg(privilege, ', ') AS privileges
            FROM unnest(%(shared)s::text[], %(api_may)s::text[]) AS shared (name, api_may)
            JOIN pg_roles ON rolname = %(api)s,
            unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
            WHERE to_regclass(name) IS NOT NULL
            AND privilege <> ALL (string_to_array(api_may, ', '))
            AND (has_table_privilege(pg_roles.oid, to_regclass(name), privilege)
                 OR privilege <> 'DELETE'
                 AND has_any_column_privilege(pg_roles.oid, to_regclass(name), privilege))
            GROUP BY name
        """,
        message="replytics_api has {privileges} on {relation}, which all lines share.",
        fix="As replytics_owner: REVOKE {privileges} ON {relation} FROM replytics_api, PUBLIC",
    ),
    Rule(
        id="tenancy.E021",
        query="""
            SELECT name, key FROM unnest(
                %(held_tables)s::text[], %(held_keys)s::text[], %(held_triggers)s::text[],
                %(held_bodies)s::text[], %(held_names)s::text[]
            ) AS held (table_name, key, trigger_name, body, name)
            WHERE to_regclass(table_name) IS NOT NULL AND NOT EXISTS (
                SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE tgrelid = to_regclass(table_name) AND tgname = trigger_name
                AND tgenabled IN ('O', 'A') AND position(body IN prosrc) > 0)
        """,
        message="The trigger that keeps {key} within one line is missing, disabled or changed.",
        fix="Run: python manage.py pgtrigger install {name} --database owner",
    ),
    Rule(
        id="tenancy.E022",
        query=f"""
            WITH {TENANT_TABLES}
            SELECT relation, quote_ident(rolname) AS role FROM tenant_tables, pg_roles
            WHERE rolname = ANY (%(foreign)s)
            AND EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = pg_roles.oid)
        """,
        message="Supabase's own API reaches {relation} as {role}.",
        fix="As replytics_owner: REVOKE ALL ON {relation} FROM {role}",
    ),
    Rule(
        id="tenancy.E023",
        query=f"""
            WITH {LOGINS}
            SELECT login, CASE WHEN logins.oid = owner.oid
                THEN 'Put the URL of replytics_web into DATABASE_URL, this one into'
                     ' OWNER_DATABASE_URL.'
                ELSE format('As an administrator: REVOKE %%s FROM %%s', owner.oid::regrole, login)
                END AS fix
            FROM logins, owner WHERE NOT rolsuper AND pg_has_role(logins.oid, owner.oid, 'MEMBER')
        """,
        message="The login {login} owns the tables, or may become their owner, and could switch"
        " every policy off.",
        fix="{fix}",
    ),
    Rule(
        id="tenancy.E024",
        query=f"WITH {OWN_SETTINGS} SELECT * FROM own WHERE is_dangerous",
        message="Sessions of {login} begin with {setting}, which changes whom it is or what it"
        " reads. A login can set that by itself: look for injected SQL.",
        fix="As an administrator: {reset}",
    ),
    Rule(
        id="tenancy.W025",
        query=f"""
            WITH {OWN_SETTINGS}
            SELECT w.login, string_agg(w.name, ', ') AS names,
                   string_agg(format('ALTER ROLE %%I SET %%I = %%L', w.login, w.name, w.value),
                              '; ') AS fix
            FROM wanted w JOIN pg_roles ON rolname = w.login
            LEFT JOIN own ON (own.login, own.name) = (w.login, w.name) AND NOT in_database
            WHERE CASE WHEN own.value IS NOT NULL THEN own.value <> w.value ELSE NOT EXISTS (
                SELECT FROM pg_settings s WHERE (s.name, s.setting) = (w.name, w.value)
                AND source NOT IN ('user', 'database user', 'session', 'client')) END
            GROUP BY w.login
        """,
        message="{login} lacks settings ({names}), which keep what callers said and their numbers"
        " out of the server's log, and end statements that take too long.",
        fix="As an administrator: {fix}",
        is_error=False,
    ),
    Rule(
        id="tenancy.W026",
        query=f"""
            WITH {OWN_SETTINGS}
            SELECT * FROM own WHERE NOT is_dangerous
            AND NOT EXISTS (SELECT FROM wanted w WHERE (w.login, w.name) = (own.login, own.name)
                            AND (w.value = own.value OR NOT in_database))
        """,
        message="Sessions of {login} begin with {setting}, which create_roles did not set. A login"
        " can set that by itself: look for injected SQL.",
        fix="As an administrator: {reset}",
        is_error=False,
    ),
]
