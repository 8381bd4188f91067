"""Delete old events of the inbox."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from api.idempotency_keys import forget_idempotency_keys
from api.rate_limit import prune_request_counts
from calls.decision_retention import prune_decisions
from calls.intake.webhooks.retention import prune_events
from console.arguments import whole_number

MAX_DAYS = 36_500


class Command(BaseCommand):
    help = (
        "Deletes the events of the inbox that are older than INBOX_RETENTION_DAYS, answers to"
        " idempotency keys older than a day, decisions older than 30 days whose call never came,"
        " and counters of the API's rate limit that are not in use. Calls stay as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=whole_number(1, MAX_DAYS),
            help="days to keep, instead of INBOX_RETENTION_DAYS",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        now = timezone.now()
        keep = timedelta(days=days) if days else None
        self.stdout.write(f"Events deleted: {prune_events(now=now, keep=keep)}.")
        self.stdout.write(f"Idempotency keys deleted: {forget_idempotency_keys(now=now)}.")
        self.stdout.write(f"Decisions without a call deleted: {prune_decisions(now=now)}.")
        self.stdout.write(f"Unused rate limit counters deleted: {prune_request_counts()}.")
