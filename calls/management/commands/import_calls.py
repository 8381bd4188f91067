"""Loads a file of calls; see calls/intake/imports/ for the formats and rules."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)

from calls.intake.imports import formats
from calls.intake.imports.formats import open_source
from calls.intake.imports.importing import Counts, ImportFailed, import_calls
from calls.intake.imports.rejects import NoRejectsFile, RejectsFile
from calls.intake.imports.report import report
from calls.intake.imports.streams import UnreadableFile
from console.arguments import not_empty, time_zone
from console.interrupts import interruptible
from console.progress import progress_bar


class Command(BaseCommand):
    help = f"""Load a file of calls. Rows that cannot be loaded are reported with the reason.

{formats.__doc__}
The line of a call is found by its number: To of an incoming call, From of an outgoing one. An
existing call only moves forward or gains what it lacks and is never overwritten: importing a file
twice changes nothing. A row with a parent_call_sid is a leg of that call, such as a transfer, and
no call of its own; it waits in the inbox until its call is known. An import may be interrupted at
any time and run again."""

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        formatter = type("Formatter", (DjangoHelpFormatter, RawDescriptionHelpFormatter), {})
        return super().create_parser(*args, formatter_class=formatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=not_empty, help="the file, or - for standard input")
        parser.add_argument(
            "--format", choices=sorted(formats.READERS), help="default: detected from the content"
        )
        parser.add_argument(
            "--rejects",
            metavar="PATH",
            help="CSV for the rejected rows: row, call_sid, reason; default: FILE.rejects.csv",
        )
        parser.add_argument(
            "--timezone",
            type=time_zone,
            metavar="ZONE",
            help="for times without a zone, and with an abbreviation such as CST; default: UTC,"
            " and America's abbreviations",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="report only; nothing is written to the database",
        )
        parser.add_argument(
            "--strict", action="store_true", help="exit with an error if any row is rejected"
        )

    @interruptible("run the import again to continue")
    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        stem = "standard-input" if path == "-" else path
        rejects = RejectsFile(Path(options["rejects"] or f"{stem}.rejects.csv"))
        counts = Counts()
        try:
            with (
                open_source(path, file_format=options["format"]) as source,
                rejects,
                progress_bar(source.name, total=source.size, count=False) as update,
            ):
                import_calls(
                    source=source,
                    rejects=rejects,
                    counts=counts,
                    local=options["timezone"],
                    dry_run=options["dry_run"],
                    progress=lambda: update(completed=source.position()),
                )
        except (UnreadableFile, NoRejectsFile, ImportFailed) as error:
            raise CommandError(str(error)) from None
        finally:
            if counts.read or counts.legs.total:
                self.stdout.write(report(counts, rejects.path, dry_run=options["dry_run"]))
        for warning in source.warnings:
            self.stderr.write(self.style.WARNING(warning))
        if not (counts.read or counts.legs.total):
            self.stdout.write("The file contains no calls.")
        is_all = counts.rejected == counts.read and not counts.legs.total
        if counts.rejected and (options["strict"] or is_all):
            which = "All" if is_all else "Some"
            raise CommandError(f"{which} rows were rejected; see the reasons in {rejects.path}")
