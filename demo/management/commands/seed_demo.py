"""Write generated lines and calls."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backoffice.display import plural
from console.arguments import moment
from console.progress import progress_bar
from demo.load import DemoDataRefused, analyze, seed_demo


class Command(BaseCommand):
    help = (
        "Writes generated lines with their settings, rules and hours, and their calls of the days"
        " before --until, to a database without lines. The same --lines, --calls, --days, --seed"
        " and --until write the same rows, down to the ids. All or nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lines", type=int, default=8, help="number of lines (default 8)")
        parser.add_argument(
            "--calls", type=int, default=5000, help="calls of all lines (default 5000)"
        )
        parser.add_argument("--days", type=int, default=90, help="days with calls (default 90)")
        parser.add_argument(
            "--seed", type=int, default=1, help="seed of the generator (default 1)"
        )
        parser.add_argument(
            "--until",
            type=moment,
            help="end of the period, such as 2026-01-31T12:00 (UTC) or 2026-01-31T12:00+01:00;"
            " default: now, in whole minutes",
        )
        parser.add_argument(
            "--append", action="store_true", help="add to a database that has lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        this_minute = timezone.now().replace(second=0, microsecond=0)
        enabled = options["verbosity"] > 0
        with progress_bar("calls", total=options["calls"], enabled=enabled) as update:
            try:
                made = seed_demo(
                    lines=options["lines"],
                    calls=options["calls"],
                    days=options["days"],
                    seed=options["seed"],
                    until=options["until"] or this_minute,
                    append=options["append"],
                    progress=lambda rows: update(advance=rows),
                )
            except DemoDataRefused as error:
                raise CommandError(str(error)) from None
        if options["verbosity"] > 0:
            self.stdout.write(
                f"Created {plural(made.lines, 'line')}, {plural(made.calls, 'call')} and"
                f" {plural(made.metadata, 'row')} of metadata."
            )
        if (reason := analyze()) and options["verbosity"] > 0:
            self.stdout.write(f"Skipped ANALYZE: {reason}.")
