"""Bring hourly and daily statistics up to date."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.rollups import requeue, roll_up
from backoffice.display import plural
from console.arguments import moment, positive
from console.interrupts import stop_requested
from console.progress import progress_bar
from tenancy import all_tenants
from tenants.line_argument import existing_line
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
        parser.add_argument("--since", type=moment, help="with --rebuild: from this UTC time")
        parser.add_argument("--until", type=moment, help="with --rebuild: before this UTC time")
        parser.add_argument(
            "--batch-hours", type=positive, default=500, help="hours per transaction (default 500)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["since"] or options["until"]) and not options["rebuild"]:
            raise CommandError("--since and --until require --rebuild.")
        since, until = options["since"] or BEGINNING, options["until"] or END
        if since >= until:
            raise CommandError("--since must come before --until.")
        phone_id = options["phone_id"]
        with (
            all_tenants("roll_up_calls"),
            stop_requested() as should_stop,
            progress_bar("Rolling up", total=None) as update,
        ):
            existing_line(phone_id)
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
