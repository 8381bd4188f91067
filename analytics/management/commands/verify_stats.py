"""Prove the statistics against the calls."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import Progress

from analytics.verification import verify_stats
from tenancy import all_tenants
from tenants.models import PhoneNumber


class Command(BaseCommand):
    help = (
        "Count every call again and compare with the hourly and daily statistics and with the"
        " 30-day summary, which is refreshed first. Prints each difference; exits 1 if there is"
        " one. What still waits for roll_up_calls is left out: reads compute it live."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sample", type=int, help="so many lines, chosen at random")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sample"] is not None and options["sample"] < 1:
            raise CommandError("--sample must be at least 1.")
        with (
            all_tenants("verify_stats"),
            Progress(transient=True, disable=not self.stdout.isatty()) as progress,
        ):
            lines = options["sample"] or PhoneNumber.objects.count()
            task = progress.add_task("Counting", total=lines)
            differences = verify_stats(
                sample=options["sample"], on_line=lambda: progress.advance(task)
            )
        for difference in differences:
            self.stdout.write(str(difference))
        if differences:
            raise CommandError(
                f"{len(differences):,} differences; roll_up_calls --rebuild repairs them."
            )
        self.stdout.write("Every number equals its calls.")
