"""Bring a file of drop_archive back into the archive."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from calls.archival import console, ledger, loading


class Command(BaseCommand):
    help = (
        "Verify a file that drop_archive wrote and put its calls back into calls_archive. Loading"
        " a file twice changes nothing; calls of lines that were deleted since are left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="as in calls_archive_2018_03.csv.gz")

    def handle(self, **options: Any) -> None:
        with console.one_line_errors():
            loaded = loading.load_file(options["file"], started_by=ledger.whoami())
        self.stdout.write(console.summary(loaded.run, "Loaded"))
        self.stdout.write(
            f"{loaded.there_before:,} were there already;"
            f" {loaded.of_deleted_lines:,} belong to deleted lines and were left out."
        )
