"""Check the statistics against the calls."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.verification import verify_stats
from backoffice.display import plural
from console.arguments import positive
from console.progress import progress_bar
from tenancy import all_tenants
from tenants.models import PhoneNumber


class Command(BaseCommand):
    help = (
        "Count every call again and compare with the hourly and daily statistics and with the"
        " 30-day summary, which is refreshed first. Prints each difference; exits 1 if there are"
        " any. Queued hours are left out: reads compute them live."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sample", type=positive, help="check this many lines, chosen at random"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with (
            all_tenants("verify_stats"),
            progress_bar("Counting", total=None) as update,
        ):
            every = PhoneNumber.objects.count()
            checked = min(options["sample"] or every, every)
            update(total=checked)
            differences = verify_stats(sample=options["sample"], on_line=lambda: update(advance=1))
        for difference in differences:
            self.stdout.write(str(difference))
        if differences:
            raise CommandError(
                f"{len(differences):,} differences found. Run roll_up_calls --rebuild to repair"
                " them."
            )
        self.stdout.write(
            "All statistics match the calls."
            if checked == every
            else f"The statistics of {checked:,} of {plural(every, 'line')} match their calls."
        )
