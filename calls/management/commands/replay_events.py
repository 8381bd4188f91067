"""Apply events of the inbox once more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.intake.webhooks.replaying import NO_SUCH_EVENT, problem_ids, replay_events

MAX_COUNT = 1_000_000


class Command(BaseCommand):
    help = (
        "Applies events of the inbox once more: those with the given ids, or else the oldest that"
        " could not be applied (an unknown line, an unknown status, a recording without a call)."
        " Replaying an event that was applied changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, help="Ids of events, as in the admin.")
        parser.add_argument(
            "--limit", type=int, default=10_000, help="At most so many (default %(default)s)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["limit"] <= MAX_COUNT:
            raise CommandError(f"--limit goes from 1 to {MAX_COUNT}.")
        counts = replay_events(options["ids"] or problem_ids(limit=options["limit"]))
        self.stdout.write(f"{counts.total()} events replayed")
        for verdict, count in counts.most_common():
            self.stdout.write(f"  {verdict}: {count}")
        if counts["put off"]:
            raise CommandError("The database was busy for some; run replay_events again.")
        if counts[NO_SUCH_EVENT]:
            raise CommandError("Give ids as the inbox in the admin shows them.")
