"""Bring calls back from calls_archive."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.display import plural
from calls.archival import command_output, ledger, moving, restoring
from calls.models import Call
from console.arguments import local_moment, on_clock, positive, storable, with_clock
from console.interrupts import stop_requested
from console.progress import progress_bar
from tenancy import all_tenants
from tenants.line_argument import clock_of, existing_line


class Command(BaseCommand):
    help = (
        "Bring calls back from calls_archive with their ids, timestamps and metadata: those of one"
        " line in a period, or one by its SID. Calls already restored are skipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--phone-id", help="the line")
        parser.add_argument(
            "--from",
            dest="since",
            type=local_moment,
            help="a time such as 2025-01-31, on the line's clock unless it has an offset",
        )
        parser.add_argument(
            "--to", dest="until", type=local_moment, help="a time; calls that began before it"
        )
        parser.add_argument(
            "--call-sid", type=storable, help="one call, instead of a line and a period"
        )
        parser.add_argument("--batch-size", type=positive, default=moving.BATCH_SIZE)
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, **options: Any) -> None:
        with command_output.one_line_errors(), all_tenants("restore_calls"):
            choice = self._choice(options)
            found = restoring.count(choice)
            if not found and choice.call_sid:
                self._explain_nothing(choice.call_sid)
                return
            if choice.since and choice.until:
                self.stdout.write(
                    f"Calls from {with_clock(choice.since)} to {with_clock(choice.until)}."
                )
            if options["dry_run"]:
                self.stdout.write(f"Would restore {plural(found, 'call')}.")
                return
            with stop_requested() as should_stop, progress_bar("calls", total=found) as update:
                run = restoring.restore_calls(
                    choice,
                    batch_size=options["batch_size"],
                    started_by=ledger.whoami(),
                    should_stop=should_stop,
                    on_batch=lambda batch: update(advance=batch.calls),
                )
            self.stdout.write(command_output.summary(run, "Restored"))
            command_output.fail_if_stopped(run, should_stop)

    def _explain_nothing(self, call_sid: str) -> None:
        if not Call.objects.filter(call_sid=call_sid).exists():
            raise CommandError(f'No call has the SID "{call_sid}", archived or live.')
        self.stdout.write("This call is live; nothing to restore.")

    def _choice(self, options: dict[str, Any]) -> restoring.Choice:
        period = [options[name] for name in ("phone_id", "since", "until")]
        if options["call_sid"] and not any(period):
            return restoring.Choice(call_sid=options["call_sid"])
        if options["call_sid"] or not all(period):
            raise CommandError("Give either --phone-id, --from and --to, or --call-sid.")
        phone_id = existing_line(options["phone_id"])
        clock = clock_of(phone_id)
        since, until = on_clock(options["since"], clock), on_clock(options["until"], clock)
        if since >= until:
            raise CommandError("--from must be before --to.")
        return restoring.Choice(phone_id=phone_id, since=since, until=until)
