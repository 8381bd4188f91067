"""Apply events of the inbox again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.intake.webhooks.replaying import DEFERRED, NOT_FOUND, problem_ids, replay_events
from console.arguments import whole_number

MAX_EVENTS = 1_000_000


class Command(BaseCommand):
    help = (
        "Applies events of the inbox again: those with the given ids, or else the oldest that"
        " could not be applied (an unknown line, an unknown status, a recording or leg without a"
        " call). Replaying an applied event changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "ids",
            nargs="*",
            type=whole_number(1, 2**63 - 1),
            help="event ids, as shown in the admin",
        )
        parser.add_argument(
            "--limit",
            type=whole_number(1, MAX_EVENTS),
            default=10_000,
            help="at most this many events (default %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        counts = replay_events(options["ids"] or problem_ids(limit=options["limit"]))
        self.stdout.write(f"Events replayed: {counts.total()}.")
        for outcome, count in counts.most_common():
            self.stdout.write(f"  {outcome}: {count}")
        if counts[DEFERRED]:
            raise CommandError("The database was busy for some events; run replay_events again.")
        if counts[NOT_FOUND]:
            raise CommandError("Some ids were not found; use ids as shown in the admin's inbox.")
