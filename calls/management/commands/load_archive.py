"""Bring a file of drop_archive back into the archive."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from calls.archival import command_output, ledger, loading
from console.arguments import path, positive
from console.interrupts import stop_requested
from console.progress import progress_bar


class Command(BaseCommand):
    help = (
        "Verify a file written by drop_archive and load its calls into calls_archive. May be"
        " stopped and run again at any time; loading a file twice changes nothing. Calls of"
        " lines that have been deleted are skipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=path, help="such as calls_archive_2018_03.csv.gz")
        parser.add_argument(
            "--batch-size",
            type=positive,
            default=loading.BATCH_SIZE,
            help="calls per transaction (default 1000)",
        )

    def handle(self, **options: Any) -> None:
        with (
            command_output.one_line_errors(),
            stop_requested() as should_stop,
            progress_bar("calls", total=None) as update,
        ):
            loaded = loading.load_file(
                options["file"],
                batch_size=options["batch_size"],
                started_by=ledger.whoami(),
                should_stop=should_stop,
                on_batch=lambda batch: update(advance=batch.calls),
            )
        self.stdout.write(command_output.summary(loaded.run, "Loaded"))
        self.stdout.write(
            f"Already archived: {loaded.already_archived:,}."
            f" Skipped, since their line was deleted: {loaded.of_deleted_lines:,}."
        )
        command_output.fail_if_stopped(loaded.run, should_stop)
