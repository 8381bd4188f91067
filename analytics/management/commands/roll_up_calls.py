"""Bring hourly and daily statistics up to date."""

import signal
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import Progress

from analytics.rollups import RollUpResult, requeue, roll_up
from tenancy import all_tenants
from tenants.models import PhoneNumber

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)


class Command(BaseCommand):
    help = (
        "Recompute the hours and days whose calls changed. Reads are exact without it; it keeps"
        " them cheap. Any number may run at once, and each may be killed at any moment."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--phone-id", help="one line only")
        parser.add_argument("--rebuild", action="store_true", help="recompute unchanged hours too")
        parser.add_argument("--since", type=_moment, help="with --rebuild: from this UTC time")
        parser.add_argument("--until", type=_moment, help="with --rebuild: before this UTC time")
        parser.add_argument(
            "--batch-hours", type=int, default=500, help="hours a transaction (default 500)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch_hours"] < 1:
            raise CommandError("--batch-hours must be at least 1.")
        if (options["since"] or options["until"]) and not options["rebuild"]:
            raise CommandError("--since and --until go with --rebuild.")
        since, until = options["since"] or BEGINNING, options["until"] or END
        if since >= until:
            raise CommandError("--since must come before --until.")
        stopped = _Stopped()
        with all_tenants("roll_up_calls"):
            lines = PhoneNumber.objects.order_by("pk").values_list("pk", flat=True)
            if options["phone_id"] is not None:
                lines = lines.filter(pk=options["phone_id"])
                if not lines:
                    raise CommandError(f"There is no line {options['phone_id']!r}.")
            with Progress(transient=True, disable=not self.stdout.isatty()) as progress:
                if options["rebuild"]:
                    for line in progress.track(list(lines), description="Queueing"):
                        requeue(phone_id=line, since=since, until=until)
                task = progress.add_task("Rolling up", total=None)
                rolled = roll_up(
                    phone_id=options["phone_id"],
                    batch_hours=options["batch_hours"],
                    on_progress=lambda done: _show(progress, task, done),
                    stop=stopped,
                )
        self.stdout.write(
            f"Rolled up {rolled.hours:,} hours of {rolled.lines:,} lines: {rolled.calls:,} calls."
        )
        if rolled.skipped_lines:
            self.stdout.write(f"{rolled.skipped_lines:,} lines are another roll-up's work.")


class _Stopped:
    """Whether SIGTERM or Ctrl-C asked to end after the running batch."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True

    def __call__(self) -> bool:
        return self.asked


def _show(progress: Progress, task: Any, done: RollUpResult) -> None:
    progress.update(
        task, description=f"Rolled up {done.hours:,} hours of {done.lines + 1:,} lines"
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time; write 2026-03-01T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
