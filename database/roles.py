"""The five PostgreSQL roles, created idempotently on any server."""

from collections.abc import Mapping
from typing import NamedTuple

import psycopg
from psycopg import sql

OWNER = "replytics_owner"
STAFF = "replytics_staff"
WEB = "replytics_web"
API = "replytics_api"
INTAKE = "replytics_intake"

ATTRIBUTES = {
    # Inherits the right to read the server's statistics, and nothing else.
    STAFF: "NOLOGIN INHERIT",
    OWNER: "LOGIN INHERIT",
    WEB: "LOGIN NOINHERIT",
    API: "LOGIN NOINHERIT",
    INTAKE: "LOGIN NOINHERIT",
}

# Statements hold callers' numbers and what they said, and so does the DETAIL of an error. Neither
# is written to the server's log when a statement fails, nor is a slow statement at all;
# pg_stat_statements and our own logs tell what happened. Most of these take a superuser.
NO_VALUES_IN_LOG = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
NO_STATEMENTS_IN_LOG = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
}


def _ends_in_time(*, statement: int, idle: int) -> dict[str, str]:
    """The longest statement, and the longest pause within a transaction; seconds."""
    return {
        "statement_timeout": str(statement * 1000),
        "idle_in_transaction_session_timeout": str(idle * 1000),
    }


# What the sessions of each login begin with. A login can change its own, which tenancy.W026 shows.
# Requests and callbacks send shorter timeouts with their statements; these hold for whatever does
# not. The jobs of the worker, which has the login of the admin, may count every call.
LOGIN_SETTINGS = {
    OWNER: NO_VALUES_IN_LOG,
    WEB: NO_VALUES_IN_LOG | NO_STATEMENTS_IN_LOG | _ends_in_time(statement=7_200, idle=900),
    API: NO_VALUES_IN_LOG | NO_STATEMENTS_IN_LOG | _ends_in_time(statement=10, idle=10),
    INTAKE: NO_VALUES_IN_LOG | NO_STATEMENTS_IN_LOG | _ends_in_time(statement=5, idle=5),
}


class Step(NamedTuple):
    """A statement and its result; running it again changes nothing."""

    result: str
    statement: str


def _do(body: str) -> str:
    return f"DO $$ BEGIN{body}\nEND $$"


def _settings(login: str, settings: Mapping[str, str]) -> str:
    return "".join(
        SETTING.format(login=login, name=name, value=value) for name, value in settings.items()
    )


# Only a superuser may write these attributes at all, so they are written only when they are wrong.
ROLE = """
IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role}; END IF;
ALTER ROLE {role} {attributes};
IF (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = '{role}') THEN
    ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS;
END IF;"""
# From 16 on inheritance belongs to the grant, before that to the member.
MEMBER = """
IF current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE 'GRANT {role} TO {member} WITH INHERIT {inherit}';
ELSE
    GRANT {role} TO {member};
END IF;"""
NO_MEMBER = """
IF pg_has_role('{member}', '{role}', 'MEMBER') THEN REVOKE {role} FROM {member}; END IF;
IF pg_has_role('{member}', '{role}', 'MEMBER') THEN
    RAISE EXCEPTION '{member} is a member of {role}, which somebody else granted'
        USING ERRCODE = 'insufficient_privilege';
END IF;"""
# RESET ALL leaves what a superuser set, unless it is run by one.
RESET_SETTINGS = """
DECLARE name text;
BEGIN
    ALTER ROLE {login} RESET ALL;
    FOR name IN SELECT datname FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
        WHERE setrole = '{login}'::regrole
    LOOP EXECUTE format('ALTER ROLE {login} IN DATABASE %I RESET ALL', name); END LOOP;
END;"""
SETTING = """
BEGIN
    ALTER ROLE {login} SET {name} = '{value}';
EXCEPTION WHEN insufficient_privilege THEN NULL;
END;"""
# The value of a setting that was not given to the login is the server's.
UNSET = """
SELECT login, name, value
FROM unnest(%(wanted_logins)s::text[], %(wanted_names)s::text[], %(wanted_values)s::text[])
    AS w (login, name, value)
WHERE NOT EXISTS (
    SELECT FROM pg_db_role_setting
    WHERE setrole = to_regrole(login) AND setdatabase = 0
    AND name || '=' || value = ANY (setconfig))
AND current_setting(name) <> value
"""
# Monitoring: the activity of other logins. Only some administrators may grant it; on Supabase they
# may grant pg_monitor, which contains it. 42501: not allowed.
SEE_STATISTICS = """
DECLARE
    wanted text;
    inherit text := CASE WHEN current_setting('server_version_num')::int >= 160000
        THEN ' WITH INHERIT TRUE' ELSE '' END;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['pg_read_all_stats', 'pg_monitor'] LOOP
        CONTINUE WHEN pg_has_role('{staff}', 'pg_read_all_stats', 'USAGE');
        BEGIN
            EXECUTE format('GRANT %I TO {staff}', wanted) || inherit;
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END;
    END LOOP;
END;"""
# Supabase has the extension in a schema of its own.
STATEMENTS = """
DECLARE home text := (SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
    WHERE extname = 'pg_stat_statements');
BEGIN
    IF home IS NOT NULL AND NOT has_schema_privilege('{staff}', home, 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO {staff}', home);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END;"""
# The owner makes schemas and trusted extensions; the web login temporary tables, for COPY.
DATABASE = """
EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO {owner}', current_database());
EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO {web}', current_database());
EXECUTE format('GRANT CONNECT ON DATABASE %I TO {api}, {intake}', current_database());"""
SCHEMA = """
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
GRANT USAGE ON SCHEMA public TO {staff}, {web}, {api}, {intake};"""
# A GRANT or REVOKE by someone who may not is a warning in PostgreSQL, and changes nothing.
GRANTED = """
IF NOT (has_database_privilege('{owner}', current_database(), 'CREATE')
        AND has_schema_privilege('{owner}', 'public', 'CREATE')
        AND has_schema_privilege('{api}', 'public', 'USAGE')
        AND has_schema_privilege('{intake}', 'public', 'USAGE')) THEN
    RAISE EXCEPTION 'only the owner of database % may grant on it and on its schema public',
        current_database() USING ERRCODE = 'insufficient_privilege';
END IF;"""


def role_steps(*, create_databases: bool = False) -> list[Step]:
    """The roles of a server. create_databases lets the owner make databases, as the tests do."""
    attributes = ATTRIBUTES | (
        {OWNER: f"{ATTRIBUTES[OWNER]} CREATEDB"} if create_databases else {}
    )
    return [
        *(
            Step(f"{role}: {words}", _do(ROLE.format(role=role, attributes=words)))
            for role, words in attributes.items()
        ),
        *(
            Step(
                f"{member}: {how} {STAFF}",
                _do(MEMBER.format(role=STAFF, member=member, inherit=inherit)),
            )
            for member, inherit, how in ((OWNER, "TRUE", "inherits"), (WEB, "FALSE", "may become"))
        ),
        *(
            Step(
                f"{login}: may not become {STAFF}", _do(NO_MEMBER.format(role=STAFF, member=login))
            )
            for login in (API, INTAKE)
        ),
        *(
            Step(
                f"{login}: its failing statements stay out of the server's log, if the"
                " administrator may set that",
                _do(RESET_SETTINGS.format(login=login) + _settings(login, settings)),
            )
            for login, settings in LOGIN_SETTINGS.items()
        ),
        Step(
            f"{STAFF}: reads the server's statistics if the administrator may grant that",
            _do(SEE_STATISTICS.format(staff=STAFF)),
        ),
    ]


def database_steps() -> list[Step]:
    """What the roles need in the database at hand, even if PUBLIC has no rights there."""
    names = {"owner": OWNER, "staff": STAFF, "web": WEB, "api": API, "intake": INTAKE}
    return [
        Step("rights on the database", _do(DATABASE.format(**names))),
        Step("rights on schema public", _do(SCHEMA.format(**names))),
        Step("the schema of pg_stat_statements, if it is there", _do(STATEMENTS.format(**names))),
        Step("checked those rights", _do(GRANTED.format(**names))),
    ]


def create_roles(
    connection: psycopg.Connection,
    *,
    passwords: Mapping[str, str] | None = None,
    create_databases: bool = False,
) -> list[str]:
    """Create or repair the roles over an administrator's connection; returns what they now are.

    passwords sets those of the logins named in it. Raises psycopg.errors.InsufficientPrivilege
    when the login may not do that.
    """
    done = run(connection, role_steps(create_databases=create_databases))
    for role, password in (passwords or {}).items():
        # Hashed here, so that no log of the server's ever holds it.
        hashed = connection.pgconn.encrypt_password(password.encode(), role.encode())
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(hashed.decode())
            )
        )
        done.append(f"{role}: password set")
    return done


def unset_settings(connection: psycopg.Connection) -> list[str]:
    """The statements for a superuser that give the logins the settings they still lack."""
    return [
        f"ALTER ROLE {login} SET {name} = '{value}'"
        for login, name, value in connection.execute(UNSET, wanted_settings())
    ]


def wanted_settings() -> dict[str, list[str]]:
    """LOGIN_SETTINGS as parameters of a query: three arrays of equal length."""
    wanted = [
        (login, name, value)
        for login, settings in LOGIN_SETTINGS.items()
        for name, value in settings.items()
    ]
    return {
        "wanted_logins": [login for login, _, _ in wanted],
        "wanted_names": [name for _, name, _ in wanted],
        "wanted_values": [value for _, _, value in wanted],
    }


def run(connection: psycopg.Connection, steps: list[Step]) -> list[str]:
    """Execute the steps in turn; returns their results."""
    for step in steps:
        connection.execute(step.statement)
    return [step.result for step in steps]
