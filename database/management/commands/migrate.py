"""Django's migrate, as the login that owns the tables, beside traffic."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connections

from database.safe_migrations import lock_retry

READ_ONLY_OPTIONS = ("plan", "check_unapplied", "prune")
TIMEOUTS = {
    "lock_timeout": (
        lock_retry.LOCK_TIMEOUT,
        "longest wait for locks that block traffic, together in a transaction",
    ),
    "retry_for": (
        lock_retry.RETRY_FOR,
        "how long to try again after that, and to wait for locks that block no traffic",
    ),
    "statement_timeout": (
        lock_retry.STATEMENT_TIMEOUT,
        "longest run of a statement that blocks traffic; 0: no limit",
    ),
}


class Command(migrate.Command):
    help = (
        f"{migrate.Command.help} A lock that traffic waits behind is given up after a second and"
        " tried again; a second migrate waits for the first. Run it again after an interruption."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")
        for name, (default, meaning) in TIMEOUTS.items():
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=float,
                default=default,
                metavar="SECONDS",
                help=f"{meaning} ({default:g})",
            )

    def get_check_kwargs(self, options: Any) -> Any:
        # The catalog checks judge the serving login, and it is migrate that fixes what they find.
        return {**super().get_check_kwargs(options), "databases": []}

    def handle(self, *args: Any, **options: Any) -> None:
        if any(options[name] for name in READ_ONLY_OPTIONS):
            super().handle(*args, **options)
            return
        for name in TIMEOUTS:
            if not 0 <= options[name] <= 86_400 or (name == "lock_timeout" and not options[name]):
                raise CommandError(f"--{name.replace('_', '-')}: give seconds, up to a day")
        connection = connections[options["database"]]
        values = {name: options[name] for name in TIMEOUTS}
        timeouts = lock_retry.StatementTimeouts(**values)
        retry_for = options["retry_for"]

        def notify(message: str) -> None:
            self.stderr.write(f"{message}.")

        def work() -> None:
            with lock_retry.statement_timeouts(connection, timeouts):
                super(Command, self).handle(*args, **options)

        try:
            with lock_retry.migration_lock(connection, wait=retry_for, notify=notify):
                lock_retry.retry_while_blocked(work, retry_for=retry_for, notify=notify)
        except lock_retry.MigrateError as error:
            raise CommandError(f"{error}.") from error
