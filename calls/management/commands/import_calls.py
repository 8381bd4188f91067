"""Loads a file of calls; calls/intake/ says which files and what becomes of each row."""

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
from console.arguments import time_zone
from console.interrupts import interruptible
from console.progress import progress_bar


class Command(BaseCommand):
    help = f"""Load a file of calls. Rows that cannot be loaded are reported with the reason.

{formats.__doc__}
The line of a call is found by its number: To of an incoming call, From of an outgoing one. A call
that is there already moves forward or gains what it lacks and is never overwritten: the same file
twice changes nothing. An import may be interrupted at any moment and run again."""

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        formatter = type("Formatter", (DjangoHelpFormatter, RawDescriptionHelpFormatter), {})
        return super().create_parser(*args, formatter_class=formatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the file, or - for standard input")
        parser.add_argument(
            "--format", choices=sorted(formats.READERS), help="default: told from the content"
        )
        parser.add_argument(
            "--rejects",
            metavar="PATH",
            help="CSV for the rejected rows: row, call_sid, reason; default: FILE.rejects.csv",
        )
        parser.add_argument(
            "--timezone",
            type=time_zone,
            default="UTC",
            metavar="ZONE",
            help="of times that name none, or name it by letters such as AEDT; default: UTC",
        )
        parser.add_argument("--dry-run", action="store_true", help="report, and change nothing")
        parser.add_argument(
            "--strict", action="store_true", help="exit with an error when a row was rejected"
        )

    @interruptible("run the import again to go on")
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
            if counts.read:
                self.stdout.write(report(counts, rejects.path, dry_run=options["dry_run"]))
        if not counts.read:
            self.stdout.write("The file holds no call.")
        if counts.rejected and (options["strict"] or counts.rejected == counts.read):
            which = "every row" if counts.rejected == counts.read else "a row"
            raise CommandError(f"{which} was rejected; the reasons are in {rejects.path}")
