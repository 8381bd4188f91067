"""Fill in what lost callbacks left out, from Twilio's own list of calls."""

from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from calls.intake.imports.file_legs import LegCounts
from calls.intake.imports.formats import Source, open_source
from calls.intake.imports.reconciling import fetch_from_twilio, reconcile_calls
from calls.intake.imports.rejects import NoRejectsFile, RejectsFile
from calls.intake.imports.report import report_of_legs
from calls.intake.imports.streams import UnreadableFile
from console.arguments import not_empty, time_zone, whole_number
from console.interrupts import interruptible
from console.progress import progress_bar


class Command(BaseCommand):
    help = (
        "Compares Twilio's list of calls with ours and fills in what is missing: calls, statuses,"
        " durations, recordings. A call that has progressed further here stays as it is. Twilio"
        " does not repeat a callback that it could not deliver, so run this after an outage. It"
        " may be interrupted at any time and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument(
            "file",
            nargs="?",
            type=not_empty,
            help="Twilio's Calls list as JSON, its console's CSV, or JSON lines, optionally"
            " gzipped; - for standard input",
        )
        source.add_argument(
            "--from-twilio",
            action="store_true",
            help="fetch the list from Twilio (TWILIO_ACCOUNT_SID)",
        )
        parser.add_argument(
            "--days",
            type=whole_number(1, 400),
            default=2,
            help="with --from-twilio: days to go back (default 2)",
        )
        parser.add_argument(
            "--timezone",
            type=time_zone,
            metavar="ZONE",
            help="for times without a zone, and with an abbreviation such as CST (default UTC, and"
            " America's abbreviations)",
        )
        parser.add_argument(
            "--rejects",
            help="CSV for the rows that could not be applied; default: FILE.rejects.csv",
        )

    @interruptible("run the command again to continue")
    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["from_twilio"]:
            since = now - timedelta(days=options["days"])
            opened: AbstractContextManager[Source] = nullcontext(fetch_from_twilio(since=since))
            stem = "twilio"
        else:
            opened = open_source(options["file"])
            stem = "standard-input" if options["file"] == "-" else options["file"]
        rejects = RejectsFile(Path(options["rejects"] or f"{stem}.rejects.csv"))
        legs = LegCounts()
        try:
            with (
                opened as source,
                rejects,
                progress_bar(source.name, total=source.size, count=False) as update,
            ):
                counts = reconcile_calls(
                    source,
                    rejects,
                    now=now,
                    local=options["timezone"],
                    legs=legs,
                    progress=lambda: update(completed=source.position()),
                )
        except (UnreadableFile, NoRejectsFile) as error:
            raise CommandError(str(error)) from None
        for warning in source.warnings:
            self.stderr.write(self.style.WARNING(warning))
        compared, filled = counts.total(), counts.pop("applied", 0)
        self.stdout.write(f"Calls compared: {compared}, filled in: {filled}.")
        for outcome, count in counts.most_common():
            self.stdout.write(f"  {outcome}: {count}")
        if legs.total:
            self.stdout.write(report_of_legs(legs))
        if rejected := counts["rejected"]:
            self.stdout.write(f"Rejected calls and reasons: {rejects.path}")
            if rejected == compared and not legs.total:
                raise CommandError("All calls were rejected; see the reasons.")
