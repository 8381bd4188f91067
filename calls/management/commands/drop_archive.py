"""Export whole months of the archive to files and drop them."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backoffice.display import plural
from calls.archival import command_output, cutoff, dropping, ledger
from console.arguments import path
from tenancy import all_tenants


class Command(BaseCommand):
    help = (
        "Write each whole month of the archive that is older than a period to a compressed file,"
        " verify the file by reading it back, and drop the month. Statistics stay. A month with a"
        " call under legal hold stays as well. load_archive loads a file again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", required=True, help='such as "7 years"; UTC')
        parser.add_argument(
            "--directory", type=path, required=True, help="where to write the files"
        )
        parser.add_argument("--dry-run", action="store_true", help="list the months only")

    def handle(self, **options: Any) -> None:
        directory: Path = options["directory"]
        if not directory.is_dir():
            raise CommandError(f"{directory} is not a directory: create it first.")
        with command_output.one_line_errors(), all_tenants("drop_archive"):
            cut_off = cutoff.older_than(options["older_than"], now=timezone.now())
            months = dropping.months_before(cut_off)
            for month in months:
                if held := dropping.held_calls(month):
                    self.stdout.write(
                        f"Kept {month.first:%Y-%m}: {held:,} of its calls are under legal hold."
                    )
                    continue
                file = directory / month.file_name()
                if options["dry_run"]:
                    self.stdout.write(f"Would drop {month.first:%Y-%m} into {file}")
                    continue
                run = dropping.drop_month(month, directory=directory, started_by=ledger.whoami())
                self.stdout.write(
                    f"Dropped {month.first:%Y-%m}: {plural(run.calls, 'call')}, {run.bytes:,}"
                    f" bytes in {file}, SHA-256 {run.sha256}; run {run.pk}."
                )
            if not months:
                self.stdout.write(f"The archive has no whole month before {cut_off:%Y-%m-%d}.")
