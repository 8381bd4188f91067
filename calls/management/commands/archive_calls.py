"""Move ended calls older than a period from calls to calls_archive."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from backoffice.display import plural
from calls.archival import command_output, cutoff, ledger, moving
from calls.archival.forecast import dead_rows, forecast
from console.arguments import local_moment, on_clock, positive, with_clock
from console.interrupts import stop_requested
from console.progress import progress_bar
from tenancy import all_tenants
from tenants.line_argument import clock_of, existing_line


class Command(BaseCommand):
    help = (
        "Move ended calls older than a period to calls_archive, with their metadata. Calls"
        " in progress or under legal hold stay. May be stopped and run again at any time, and"
        " several may run at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        when = parser.add_mutually_exclusive_group()
        when.add_argument("--older-than", default="1 year", help='such as "18 months"; UTC')
        when.add_argument(
            "--before",
            type=local_moment,
            help="a time such as 2025-01-31 or 2025-01-31T12:00+00:00; without an offset it is on"
            " the line's clock, or in UTC",
        )
        parser.add_argument("--phone-id", help="only this line")
        parser.add_argument("--batch-size", type=positive, default=moving.BATCH_SIZE)
        parser.add_argument(
            "--workers",
            type=positive,
            default=2,
            help="connections that share the work (default 2; with --limit it is 1)",
        )
        parser.add_argument("--limit", type=positive, help="at most this many calls")
        parser.add_argument("--dry-run", action="store_true", help="count only")
        parser.add_argument("--forecast", action="store_true", help="list months and lines only")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        with command_output.one_line_errors(), all_tenants("archive_calls"):
            phone_id = existing_line(options["phone_id"])
            if options["before"]:
                before = on_clock(options["before"], clock_of(phone_id))
                cut_off = cutoff.in_the_past(before, now=now)
            else:
                cut_off = cutoff.older_than(options["older_than"], now=now)
            if options["forecast"]:
                for row in forecast(cut_off=cut_off, phone_id=phone_id):
                    self.stdout.write(str(row))
            chosen = {"cut_off": cut_off, "phone_id": phone_id, "limit": options["limit"]}
            plan = moving.survey(**chosen)
            if options["dry_run"] or options["forecast"]:
                metadata_rows = moving.count_metadata(**chosen)
                self.stdout.write(
                    f"Would archive {plural(plan.calls, 'call')} and"
                    f" {plural(metadata_rows, 'metadata row')} from before"
                    f" {with_clock(cut_off)}; {plan.left_live:,} in progress and"
                    f" {plan.left_held:,} under legal hold stay."
                )
                return
            with (
                stop_requested() as should_stop,
                progress_bar("calls", total=plan.calls) as update,
            ):
                run = moving.archive_calls(
                    **chosen,
                    batch_size=options["batch_size"],
                    workers=options["workers"],
                    plan=plan,
                    started_by=ledger.whoami(),
                    should_stop=should_stop,
                    on_batch=lambda batch: update(advance=batch.calls),
                )
            self.stdout.write(command_output.summary(run, "Archived"))
            self.stdout.write(
                f"From before {with_clock(cut_off)} not archived: {run.left_live:,} in progress,"
                f" {run.left_held:,} under legal hold, {run.remaining:,} left for the next run."
            )
            for table in dead_rows():
                self.stdout.write(str(table))
            command_output.fail_if_stopped(run, should_stop)
