"""The new migrations, read for what would stop traffic."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from database.safe_migrations.collecting import no_database
from database.safe_migrations.linting import refusals
from database.safe_migrations.released import new_migrations, our_apps, record_release


class Command(BaseCommand):
    help = (
        "Refuses migrations that would stop traffic, or on which the last release would not run,"
        " and says how to do it. It reads those that the last release did not have, and needs no"
        " database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app_label", nargs="?", help="read the migrations of this app alone")
        parser.add_argument(
            "--record-release",
            action="store_true",
            help="instead: from now on all migrations of today belong to the last release",
        )

    def handle(self, **options: Any) -> None:
        loader = MigrationLoader(None)
        if options["record_release"]:
            record_release(loader)
            return
        app = options["app_label"]
        if app and app not in loader.migrated_apps:
            raise CommandError(f"There is no app {app} with migrations.")
        new = new_migrations(loader, [app] if app else our_apps())
        count = 0
        with no_database() as connection:
            for migration in new:
                key = (migration.app_label, migration.name)
                state = loader.project_state(key, at_end=False)
                try:
                    found = refusals(migration, state, connection)
                except FileNotFoundError as error:
                    raise CommandError(str(error)) from None
                for refusal in found:
                    statement = " ".join(refusal.statement.split())
                    self.stdout.write(
                        f"{migration}: {refusal.rule}\n    {statement[:300]}\n    {refusal.why}\n"
                        f"    Instead: {refusal.fix}."
                    )
                count += len(found)
        if count:
            raise CommandError(f"{count} reasons to refuse what {len(new)} new migrations do.")
        self.stdout.write(f"{len(new)} new migrations stop nobody.")
