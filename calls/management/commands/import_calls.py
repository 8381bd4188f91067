"""Loads a file of calls; calls/intake/ says which files and what becomes of each row."""

import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from rich.console import Console
from rich.progress import Progress

from calls.intake import formats
from calls.intake.formats import Source, UnreadableFile, open_source
from calls.intake.importing import Counts, ImportFailed, import_calls
from calls.intake.rejects import NoRejectsFile, RejectsFile


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
            default="UTC",
            metavar="ZONE",
            help="of times that name none, or name it by letters such as AEDT; default: UTC",
        )
        parser.add_argument("--dry-run", action="store_true", help="report, and change nothing")
        parser.add_argument(
            "--strict", action="store_true", help="exit with an error when a row was rejected"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path, zone = options["file"], options["timezone"]
        if zone not in available_timezones():
            raise CommandError(f"{zone!r} is no IANA time zone; write one such as Europe/Berlin")
        stem = "standard-input" if path == "-" else path
        rejects = RejectsFile(Path(options["rejects"] or f"{stem}.rejects.csv"))
        counts = Counts()
        try:
            with (
                open_source(path, file_format=options["format"]) as source,
                rejects,
                _bar(source) as progress,
            ):
                import_calls(
                    source=source,
                    rejects=rejects,
                    counts=counts,
                    local=ZoneInfo(zone),
                    dry_run=options["dry_run"],
                    progress=progress,
                )
        except KeyboardInterrupt:
            self._report(counts, rejects.path, dry_run=options["dry_run"])
            raise CommandError(
                "interrupted; run the import again to go on", returncode=130
            ) from None
        except (UnreadableFile, NoRejectsFile, ImportFailed) as error:
            if counts.read:
                self._report(counts, rejects.path, dry_run=options["dry_run"])
            raise CommandError(str(error)) from None
        self._report(counts, rejects.path, dry_run=options["dry_run"])
        if counts.rejected and (options["strict"] or counts.rejected == counts.read):
            every = "every row" if counts.rejected == counts.read else "a row"
            raise CommandError(f"{every} was rejected; the reasons are in {rejects.path}")

    def _report(self, counts: Counts, rejects: Path, *, dry_run: bool) -> None:
        archived = f" ({counts.archived} of them archived)" if counts.archived else ""
        self.stdout.write(
            f"read {counts.read}, loaded {counts.loaded}, updated {counts.updated},"
            f" already there {counts.already_there}{archived}, rejected {counts.rejected}"
        )
        if dry_run:
            self.stdout.write("Dry run: nothing was changed.")
        if counts.ignored_columns:
            names = ", ".join(map(repr, sorted(counts.ignored_columns)[:10]))
            self.stdout.write(f"Columns that were ignored, since calls have none: {names}")
        if counts.rejected:
            self.stdout.write(f"The rejected rows and the reasons: {rejects}")


@contextmanager
def _bar(source: Source) -> Iterator[Callable[[], None]]:
    """A progress bar by bytes, on a terminal only."""
    on_terminal = sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=not on_terminal) as bar:
        task = bar.add_task(source.name, total=source.size)
        yield lambda: bar.update(task, completed=source.position())
