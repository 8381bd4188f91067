"""Records backups for the monitor."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from monitoring.backups import BadInfo, record, record_pgbackrest
from monitoring.models import Backup


class Command(BaseCommand):
    help = (
        "Records backups, so that database_report can show when the last successful one finished."
        " From cron, after each backup: pgbackrest info --output=json | manage.py record_backup."
        " For another tool: manage.py record_backup --label NAME --kind full [--error REASON]."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--label", help="name of the backup; without it, pgBackRest's JSON is read from stdin"
        )
        parser.add_argument("--kind", default="full", help="full, diff, incr …")
        parser.add_argument(
            "--finished-at", help="such as 2026-01-31T02:00:00+00:00; default: now"
        )
        parser.add_argument("--error", default="", help="why it failed")

    def handle(self, **options: Any) -> None:
        if not options["label"]:
            try:
                count = record_pgbackrest(sys.stdin.read())
            except BadInfo as error:
                raise CommandError(str(error)) from None
            self.stdout.write(f"Backups recorded: {count}.")
            return
        finished_at = timezone.now()
        if given := options["finished_at"]:
            try:
                parsed = parse_datetime(given)
            except ValueError:
                parsed = None
            if parsed is None or parsed.tzinfo is None:
                raise CommandError(
                    f"Invalid --finished-at {given!r}: expected a time such as"
                    " 2026-01-31T02:00:00+00:00."
                )
            finished_at = parsed
        record(
            Backup(
                label=options["label"],
                kind=options["kind"],
                finished_at=finished_at,
                error=options["error"],
            )
        )
        self.stdout.write("Backups recorded: 1.")
