"""Delete old events of the inbox."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from api.idempotency_keys import forget_idempotency_keys
from calls.intake.webhooks.retention import prune_events

MAX_DAYS = 36_500


class Command(BaseCommand):
    help = (
        "Deletes the events of the inbox that are older than INBOX_RETENTION_DAYS, and answers to"
        " idempotency keys older than a day. Calls stay as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="Keep so many days instead.")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise CommandError(f"--days goes from 1 to {MAX_DAYS}.")
        now = timezone.now()
        keep = timedelta(days=days) if days else None
        self.stdout.write(f"{prune_events(now=now, keep=keep)} events deleted")
        self.stdout.write(f"{forget_idempotency_keys(now=now)} idempotency keys deleted")
