"""Find lines that went quiet and transfers that reach nobody."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from analytics.line_health.sentences import MISSING_CALLS, failing_sentence, quiet_sentence
from analytics.line_health.transfers import SUSPECTED, failing_transfers, parameters
from analytics.line_health.watching import check_lines
from backoffice.display import plural
from monitoring.server import rows
from tenancy import all_tenants


class Command(BaseCommand):
    help = (
        "Find the lines that went quiet, those that are watched since three expected calls are"
        " missing, and the transfer targets whose last dials all failed. The worker does so every"
        " five minutes, and alerts are opened for what is quiet or fails."
    )

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        with all_tenants("check_lines"), connection.cursor() as cursor:
            check = check_lines(now=now)
            missing = rows(cursor, f"{MISSING_CALLS} ORDER BY state, expected DESC")
            failing = failing_transfers(rows(cursor, SUSPECTED, parameters(now)), now=now)
        for row in missing:
            self.stdout.write(f"{row['state']}: {row['subject']}: {quiet_sentence(row, now=now)}")
        for transfer in failing:
            self.stdout.write(f"failing: {transfer.phone_id}: {failing_sentence(transfer)}")
        self.stdout.write(
            f"{plural(check.lines, 'line')} checked: {check.quiet:,} quiet, {check.watched:,}"
            f" watched; {plural(len(failing), 'failing transfer target')}."
        )
