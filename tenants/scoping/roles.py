"""The four PostgreSQL roles, created idempotently on any server."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

OWNER = "replytics_owner"
STAFF = "replytics_staff"
WEB = "replytics_web"
API = "replytics_api"

# What each role is; CREATE ROLE when it is missing, ALTER ROLE when it is there.
ATTRIBUTES = {
    STAFF: "NOLOGIN NOINHERIT",
    OWNER: "LOGIN INHERIT",
    WEB: "LOGIN NOINHERIT",
    API: "LOGIN NOINHERIT",
}


def create_roles(
    connection: psycopg.Connection,
    *,
    passwords: Mapping[str, str] | None = None,
    create_databases: bool = False,
) -> list[str]:
    """Create or repair the roles over an administrator's connection; returns what was done.

    passwords sets those of the logins named in it. create_databases lets the owner make
    databases, which the test suite needs. Raises psycopg.errors.InsufficientPrivilege when the
    login may not create roles.
    """
    done = []
    for role, attributes in ATTRIBUTES.items():
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        verb = "ALTER" if known else "CREATE"
        connection.execute(f"{verb} ROLE {role} {attributes}")
        done.append(f"{verb} ROLE {role} {attributes}")
    for role, password in (passwords or {}).items():
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(password)
            )
        )
        done.append(f"ALTER ROLE {role} PASSWORD '***'")
    if create_databases:
        connection.execute(f"ALTER ROLE {OWNER} CREATEDB")
        done.append(f"ALTER ROLE {OWNER} CREATEDB")
    # From 16 on inheritance belongs to the grant, before that to the member.
    inherits = connection.info.server_version >= 160000
    for member, inherit in ((OWNER, "TRUE"), (WEB, "FALSE")):
        statement = f"GRANT {STAFF} TO {member}" + (f" WITH INHERIT {inherit}" if inherits else "")
        connection.execute(statement)
        done.append(statement)
    return done
