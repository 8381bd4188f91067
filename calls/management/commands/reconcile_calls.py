"""Fill in what callbacks lost, from Twilio's own list of calls."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from calls.intake.reconciling import CannotReconcile, fetch_list, read_list, reconcile_calls
from tenants.unavailable import UNAVAILABLE


class Command(BaseCommand):
    help = (
        "Compares Twilio's list of calls with ours and fills in what is missing: calls, statuses,"
        " durations. Nothing goes back: a call that is further on here stays as it is. Twilio"
        " does not repeat a callback that it could not deliver, so run this after an outage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("file", nargs="?", help="Twilio's Calls list as JSON.")
        source.add_argument(
            "--from-twilio", action="store_true", help="Ask Twilio (TWILIO_ACCOUNT_SID)."
        )
        parser.add_argument(
            "--days", type=int, default=2, help="With --from-twilio: so far back (default 2)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if not 1 <= options["days"] <= 400:
            raise CommandError("--days goes from 1 to 400.")
        try:
            if options["from_twilio"]:
                records = fetch_list(since=now - timedelta(days=options["days"]))
            else:
                records = read_list(Path(options["file"]).read_text())
            counts = reconcile_calls(records, now=now)
        except (CannotReconcile, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from None
        except UNAVAILABLE:
            raise CommandError("The database is busy or away; run it again.") from None
        filled = counts.pop("applied", 0)
        self.stdout.write(f"{filled + counts.total()} calls compared, {filled} filled in")
        for verdict, count in counts.most_common():
            self.stdout.write(f"  {verdict}: {count}")
