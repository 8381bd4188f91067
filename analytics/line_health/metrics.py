"""What monitoring reports of lines: those that went quiet, and transfers that reach nobody."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse

from analytics.line_health.sentences import (
    MISSING_CALLS,
    failing_sentence,
    quiet_sentence,
    target_name,
)
from analytics.line_health.transfers import SUSPECTED, failing_transfers, parameters
from calls.transfers import MIN_FAILURES, SPAN
from monitoring.metrics.base import MAX_ITEMS, Metric, Skipped, Unknown
from monitoring.server import Row, Server, rows

# Not a group of the server's: whether a line is quiet makes no server unready.
GROUPS = {"lines": "Lines"}
CHECKS_COUNT_FOR = timedelta(minutes=30)
HOW_TO_CHECK = "the worker does so every five minutes; by hand: manage.py check_lines"
LAST_CHECK = "SELECT max(finished_at) AS finished_at FROM line_checks"


class LineMetric(Metric):
    group = "lines"
    summary = "{sentence}"


class QuietLines(LineMetric):
    name = "quiet_lines"
    label = "Quiet lines"
    help = (
        "Lines at which so many expected calls are missing that chance explains it less than once"
        " a year, or at which three are missing and callbacks could not be used. The value is the"
        " number of missing calls."
    )
    sql = f"""
        SELECT *, 'warning' AS level FROM ({MISSING_CALLS}) AS missing
        WHERE state = 'quiet' ORDER BY value DESC
    """
    fix = (
        "Call the number; check its forwarding and its settings at the provider. manage.py"
        " reconcile_calls fetches calls that only the provider knows. If nobody was expected to"
        " call, enter a special day: {page}"
    )
    unit = "calls"
    needs_table = "quiet_lines"

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        [check] = rows(cursor, LAST_CHECK)
        last = check["finished_at"]
        if last is None:
            raise Skipped(f"the lines have never been checked; {HOW_TO_CHECK}")
        if last < server.now - CHECKS_COUNT_FOR:
            raise Unknown(f"no check of the lines in the last half hour; {HOW_TO_CHECK}")
        found = super().rows(cursor, server)
        for row in found:
            row["sentence"] = quiet_sentence(row, now=server.now)
            row["page"] = _page_of(row["subject"])
        return [*_many(len(found)), *found]


def _many(number: int) -> list[Row]:
    """More lines than a report lists: what they have in common comes first."""
    if number <= MAX_ITEMS:
        return []
    sentence = (
        f"{number:,} lines are quiet at once. First look at what they have in common: the"
        " provider, the intake. manage.py check_lines lists them."
    )
    page = settings.PUBLIC_URL + reverse("admin:tenants_phonenumber_changelist")
    return [
        {"subject": "many lines", "value": number, "level": "critical"}
        | {"sentence": sentence, "page": page}
    ]


class FailingTransfers(LineMetric):
    name = "failing_transfers"
    label = "Failing transfers"
    help = (
        f"Numbers to which rules transfer callers and whose last {MIN_FAILURES} dials, or more, of"
        f" the last {SPAN.days} days all failed. The value is how many failed in a row."
    )
    sql = SUSPECTED
    fix = "Ask the business who answers this number now, or for another one: {page}"
    unit = "dials"
    warning = MIN_FAILURES
    needs_table = "call_legs"

    def parameters(self, server: Server) -> Mapping[str, Any]:
        return parameters(server.now)

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        suspected = super().rows(cursor, server)
        return [
            {
                "subject": f"{transfer.phone_id}, {target_name(transfer)}",
                "value": transfer.target.dials,
                "sentence": failing_sentence(transfer),
                "page": _page_of(transfer.phone_id),
            }
            for transfer in failing_transfers(suspected, now=server.now)
        ]


def _page_of(phone_id: str) -> str:
    return settings.PUBLIC_URL + reverse("admin:tenants_phonenumber_change", args=[phone_id])


METRICS: list[type[Metric]] = [QuietLines, FailingTransfers]
