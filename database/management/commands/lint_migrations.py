"""Lints the migrations that are in no release yet."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from database.safe_migrations.linting import refusals
from database.safe_migrations.released import new_migrations, record_release, records


class Command(BaseCommand):
    help = (
        "Refuses migrations that would block traffic, or on which the last release would not run,"
        " and names the safe way. It reads those that the last release did not have. Before the"
        " first release they only have to be restartable and reversible."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app_label", nargs="?", help="only the migrations of this app")
        parser.add_argument(
            "--record-release",
            action="store_true",
            help="instead: record that all migrations of today are released",
        )

    def handle(self, **options: Any) -> None:
        loader = MigrationLoader(None)
        if options["record_release"]:
            record_release(loader)
            return
        releases = records()
        labels = [*releases] if options["app_label"] is None else [options["app_label"]]
        if unknown := {*labels} - {*releases}:
            raise CommandError(f'No app "{unknown.pop()}" with migrations here.')
        beside_traffic = any(record.exists() for record in releases.values())
        new = [migration for label in labels for migration in new_migrations(loader, label)]
        count = 0
        for migration in new:
            state = loader.project_state((migration.app_label, migration.name), at_end=False)
            for refusal in refusals(
                migration, state, connections["owner"], beside_traffic=beside_traffic
            ):
                count += 1
                subject = " ".join(refusal.subject.split())[:300]
                self.stdout.write(
                    f"{migration}: {refusal.rule}\n    {subject}\n    Instead: {refusal.fix}."
                )
        if count:
            raise CommandError(f"{count} problems in {len(new)} new migrations.")
        self.stdout.write(f"{len(new)} new migrations are safe.")
