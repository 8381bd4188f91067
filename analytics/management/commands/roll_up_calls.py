"""Bring hourly and daily statistics up to date."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.rollups import requeue, roll_up
from backoffice.display import plural
from console.arguments import local_moment, on_clock, positive, with_clock
from console.interrupts import stop_requested
from console.progress import progress_bar
from tenancy import all_tenants
from tenants.line_argument import clock_of, existing_line
from tenants.models import PhoneNumber

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)


class Command(BaseCommand):
    help = (
        "Recompute the hours and days whose calls changed. Reads are exact without it; it keeps"
        " them cheap. Several may run at once, and each may be killed at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--phone-id", help="one line only")
        parser.add_argument("--rebuild", action="store_true", help="recompute unchanged hours too")
        parser.add_argument(
            "--since",
            type=local_moment,
            help="with --rebuild: from this time, on the line's clock, or in UTC",
        )
        parser.add_argument("--until", type=local_moment, help="with --rebuild: before this time")
        parser.add_argument(
            "--batch-hours", type=positive, default=500, help="hours per transaction (default 500)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["since"] or options["until"]) and not options["rebuild"]:
            raise CommandError("--since and --until require --rebuild.")
        with (
            all_tenants("roll_up_calls"),
            stop_requested() as should_stop,
            progress_bar("Rolling up", total=None) as update,
        ):
            phone_id = existing_line(options["phone_id"])
            clock = clock_of(phone_id)
            since = on_clock(options["since"] or BEGINNING, clock)
            until = on_clock(options["until"] or END, clock)
            if since >= until:
                raise CommandError("--since must come before --until.")
            if options["rebuild"]:
                lines = PhoneNumber.objects.order_by("pk").values_list("pk", flat=True)
                for line in [phone_id] if phone_id else list(lines):
                    requeue(phone_id=line, since=since, until=until)
            rolled = roll_up(
                phone_id=phone_id,
                batch_hours=options["batch_hours"],
                on_progress=lambda done: update(completed=done.hours),
                stop=should_stop,
            )
        if options["since"] or options["until"]:
            self.stdout.write(f"Rebuilt from {with_clock(since)} to {with_clock(until)}.")
        self.stdout.write(
            f"Rolled up {plural(rolled.hours, 'hour')} of {plural(rolled.lines, 'line')}:"
            f" {plural(rolled.calls, 'call')}."
        )
        if rolled.skipped_lines:
            self.stdout.write(
                f"Skipped {plural(rolled.skipped_lines, 'line')}: another roll-up works there."
            )
        if should_stop():
            raise CommandError(
                "Stopped by a signal; run the command again to continue.",
                returncode=should_stop.exit_code,
            )
