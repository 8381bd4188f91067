"""Django's migrate, as the login that owns the tables, and such that traffic goes on."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connections

from database.safe_migrations.patience import (
    AnotherMigrates,
    Blocked,
    Limits,
    Pooled,
    TooLong,
    alone,
    limited,
    persist,
)

LOOKS_ONLY = ("plan", "check_unapplied", "prune")


class Command(migrate.Command):
    help = (
        f"{migrate.Command.help} A lock that traffic waits behind is waited for a second, then"
        " given up and tried again; a second migrate waits for the first. What was interrupted"
        " can be run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")
        parser.add_argument(
            "--lock-timeout",
            type=float,
            default=Limits.lock_timeout,
            metavar="SECONDS",
            help="longest wait for locks that stop traffic, together in a transaction (1)",
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=Limits.patience,
            metavar="SECONDS",
            help="for how long to try again, and to wait where nobody waits behind (300)",
        )
        parser.add_argument(
            "--hold-limit",
            type=float,
            default=Limits.hold_limit,
            metavar="SECONDS",
            help="a statement that stops traffic is ended after this (5); 0: never, for a quiet"
            " hour",
        )

    def get_check_kwargs(self, options: Any) -> Any:
        # The catalog checks judge the serving login, and it is migrate that cures what they find.
        return {**super().get_check_kwargs(options), "databases": []}

    def handle(self, *args: Any, **options: Any) -> None:
        if any(options[name] for name in LOOKS_ONLY):
            super().handle(*args, **options)
            return
        for name in ("lock_timeout", "patience", "hold_limit"):
            if not 0 <= options[name] <= 86_400 or (name == "lock_timeout" and not options[name]):
                raise CommandError(f"--{name.replace('_', '-')}: give seconds, up to a day")
        connection = connections[options["database"]]
        patience = options["patience"]
        limits = Limits(options["lock_timeout"], patience, options["hold_limit"])

        def tell(message: str) -> None:
            self.stderr.write(f"{message}.")

        def work() -> None:
            with limited(connection, limits):
                super(Command, self).handle(*args, **options)

        try:
            with alone(connection, patience=patience, tell=tell):
                persist(work, patience=patience, tell=tell)
        except Blocked as blocked:
            raise CommandError(
                f"{blocked}. Nothing of that migration stands that migrate cannot repeat;"
                " plan_migrations shows when it is a good moment."
            ) from blocked
        except TooLong as too_long:
            raise CommandError(
                f"{too_long} and was ended. Do it in steps that stop nobody (CONTRIBUTING.md,"
                " Migrations), or at a quiet hour with --hold-limit 0."
            ) from too_long
        except AnotherMigrates as another:
            raise CommandError(f"{another}. Run migrate again when it has ended.") from another
        except Pooled:
            raise CommandError(
                "The owner's connection changed on the way: OWNER_DATABASE_URL must lead to"
                " PostgreSQL itself or to a pooler in session mode."
            ) from None
