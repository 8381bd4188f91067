"""Sets up a server: the five roles and their rights in the database."""

import os
import secrets
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser

from database.roles import (
    API,
    INTAKE,
    OWNER,
    WEB,
    create_roles,
    database_steps,
    role_steps,
    run,
    unset_settings,
)

PASSWORDS = {
    OWNER: "OWNER_PASSWORD",
    WEB: "WEB_PASSWORD",
    API: "API_PASSWORD",
    INTAKE: "INTAKE_PASSWORD",
}


class Command(BaseCommand):
    help = (
        "Creates or repairs the PostgreSQL roles and grants them what they need in the database"
        " that the URL names; once before the first migrate. Passwords come from OWNER_PASSWORD,"
        " WEB_PASSWORD, API_PASSWORD and INTAKE_PASSWORD; a new login without one gets a"
        " generated one, printed once. The administrator owns the database and may create roles"
        " (on Supabase: postgres)."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url",
            default=os.environ.get("ADMIN_DATABASE_URL"),
            help="postgres://administrator:password@host:5432/database;"
            " default: ADMIN_DATABASE_URL, which keeps the password out of the process list",
        )
        parser.add_argument(
            "--sql", action="store_true", help="print the statements instead of running them"
        )

    def handle(self, *, url: str | None, sql: bool, **options: Any) -> None:
        if sql:
            for step in role_steps() + database_steps():
                self.stdout.write(f"-- {step.result}\n{step.statement};")
            for role in PASSWORDS:
                self.stdout.write(f"-- ALTER ROLE {role} PASSWORD '…';")
            return
        if not url:
            raise CommandError("Name the administrator's URL: --url or ADMIN_DATABASE_URL.")
        try:
            with psycopg.connect(url, connect_timeout=10) as connection:
                passwords, generated = _passwords(connection)
                done = create_roles(connection, passwords=passwords)
                done += run(connection, database_steps())
                unset = unset_settings(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            raise CommandError(
                f"{error.diag.message_primary}. Let an administrator of the server run the"
                " statements that `create_roles --sql` prints."
            ) from None
        except psycopg.Error as error:
            raise CommandError(" ".join(str(error).split())) from None
        for result in done:
            self.stdout.write(result)
        for role, password in generated.items():
            self.stdout.write(f"{role}: generated password, shown only now: {password}")
        if unset:
            statements = "".join(f"\n    {statement};" for statement in unset)
            self.stderr.write(
                f"The administrator may not set what keeps callers' words and numbers out of the"
                " server's log: failing statements are logged with them. Let a superuser run:"
                f"{statements}"
            )


def _passwords(connection: psycopg.Connection) -> tuple[dict[str, str], dict[str, str]]:
    """The passwords to set, and those of them that were generated for logins that are new."""
    given = {role: os.environ[name] for role, name in PASSWORDS.items() if os.environ.get(name)}
    known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    new = PASSWORDS.keys() - known - given.keys()
    generated = {role: secrets.token_urlsafe(24) for role in sorted(new)}
    return given | generated, generated
