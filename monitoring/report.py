"""The report: every metric run once, and its outcome stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

from django.db import ProgrammingError, connection

from monitoring.findings import Finding, Item, Level, worst
from monitoring.metrics import METRICS
from monitoring.models import DatabaseReport
from monitoring.server import Server, inspect_server, read_only_transaction
from tenancy import all_tenants

# Metrics that read tables, and how old their findings may be on the schedule.
COSTLY_EVERY = timedelta(hours=6)
KEPT_FOR = timedelta(days=2)

# An older report says nothing about the current backlog.
BACKLOG = """
SELECT ARRAY(SELECT finding ->> 'level' FROM jsonb_array_elements(findings) AS finding
    WHERE finding ->> 'group' = 'jobs')
FROM database_reports WHERE taken_at > now() - interval '15 minutes' ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Report:
    server: Server
    findings: list[Finding]
    milliseconds: float

    @property
    def level(self) -> Level:
        return worst([finding.level for finding in self.findings])

    def counts(self) -> dict[Level, int]:
        """How many findings there are of each level."""
        return {level: sum(finding.level is level for finding in self.findings) for level in Level}


def examine(*, reuse: Mapping[str, Finding] | None = None) -> Report:
    """Run every metric; `reuse` holds findings to take as they are, by metric.

    It writes nothing. Raises DatabaseError when the server is unreachable.
    """
    began = perf_counter()
    known = reuse or {}
    with read_only_transaction(reason="database report") as cursor:
        server = inspect_server(cursor)
        findings = [known.get(metric.name) or metric.find(cursor, server) for metric in METRICS]
    return Report(server, findings, round((perf_counter() - began) * 1000, 1))


def save_report(report: Report) -> DatabaseReport:
    """Store a report and delete old ones."""
    with all_tenants("database report"):
        DatabaseReport.objects.filter(taken_at__lt=report.server.now - KEPT_FOR).delete()
        return DatabaseReport.objects.create(
            taken_at=report.server.now,
            milliseconds=report.milliseconds,
            level=report.level,
            findings=[finding.to_json() for finding in report.findings],
        )


def backlog() -> Level:
    """How the worker keeps up, by the last report; UNKNOWN without a fresh one.

    Raises OperationalError and its like when the database is unavailable.
    """
    try:
        with all_tenants("readiness"), connection.cursor() as cursor:
            cursor.execute(BACKLOG)
            row = cursor.fetchone()
    except ProgrammingError:  # a login that may not become staff
        return Level.UNKNOWN
    return worst([Level(level) for level in row[0]]) if row else Level.UNKNOWN


def reusable_findings(now: datetime) -> dict[str, Finding]:
    """The last findings of the costly metrics that are recent enough to keep."""
    with all_tenants("database report"):
        last = DatabaseReport.objects.first()
    costly = {metric.name for metric in METRICS if metric.costly}
    return {
        finding.metric: finding
        for finding in (findings_of(last.findings) if last else [])
        if finding.metric in costly
        and finding.taken_at is not None
        and finding.taken_at > now - COSTLY_EVERY
    }


def findings_of(stored: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """The findings of a stored report."""
    return [
        Finding(
            **{
                **found,
                "level": Level(found["level"]),
                "items": [Item(**{**i, "level": Level(i["level"])}) for i in found["items"]],
                "since": _moment(found["since"]),
                "taken_at": _moment(found["taken_at"]),
            }
        )
        for found in stored
    ]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
