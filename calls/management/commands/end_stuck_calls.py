"""End calls whose end was never reported."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from calls.intake.stuck import end_stuck_calls
from console.arguments import whole_number

MAX_SECONDS = 7 * 86_400  # as for STUCK_CALL_SECONDS


class Command(BaseCommand):
    help = (
        "Ends the calls that have been ringing or answered for longer than STUCK_CALL_SECONDS:"
        " answered ones as completed, ringing ones as failed, both with the provider status"
        " timed-out. A later event of the provider overrules it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after",
            type=whole_number(60, MAX_SECONDS),
            help="seconds, instead of STUCK_CALL_SECONDS; less would end calls in progress",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        after = options["after"]
        ended = end_stuck_calls(
            now=timezone.now(), after=timedelta(seconds=after) if after else None
        )
        self.stdout.write(
            f"Calls ended: {ended.total()}"
            f" ({ended['completed']} completed, {ended['failed']} failed)."
        )
