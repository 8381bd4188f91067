"""Shows the migrations to come, and refuses those that existing rows make fail."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from database.safe_migrations.lock_retry import LOCK_TIMEOUT
from database.safe_migrations.planning import plan


class Command(BaseCommand):
    help = (
        "Shows each unapplied migration with its SQL, the size of the tables it touches and the"
        " sessions that would block it now. Changes nothing. The exit code is 1 when existing"
        " rows make a migration fail, such as rows that violate a new constraint."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app_label", nargs="?", help="only those of this app")
        parser.add_argument(
            "--database", default="owner", choices=tuple(connections), help="owner by default"
        )

    def handle(self, **options: Any) -> None:
        label = options["app_label"]
        if label is not None and label not in MigrationLoader(None).migrated_apps:
            raise CommandError(f'No app "{label}" with migrations here.')
        try:
            self._show(options)
        except ValueError as error:
            raise CommandError(
                f"{error}: the SQL of the next migration depends on the ones before it, or on"
                " Python. Apply those first, or write it as RunSQL."
            ) from error

    def _show(self, options: dict[str, Any]) -> None:
        failures: list[str] = []
        count = 0
        connection = connections[options["database"]]
        for planned in plan(
            connection, app_label=options["app_label"] or "", min_age=LOCK_TIMEOUT
        ):
            count += 1
            atomic = "one transaction" if planned.migration.atomic else "no transaction"
            self.stdout.write(f"{planned.migration} ({atomic})\n{planned.sql}")
            for label, found in {
                "Table": planned.tables,
                "Blocked by": planned.blockers,
                "Warning": planned.warnings,
                "Fails": planned.failures,
            }.items():
                for one in found:
                    self.stdout.write(f"  {label}: {one}")
            failures += [f"{planned.migration}: {failure}" for failure in planned.failures]
        if failures:
            raise CommandError("\n".join(["Existing rows make migrations fail.", *failures]))
        self.stdout.write(f"{count} migrations to apply." if count else "No migrations to apply.")
