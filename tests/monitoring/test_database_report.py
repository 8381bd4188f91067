"""The command and the scheduled job."""

import json
import math
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from monitoring.findings import Level
from monitoring.metrics import METRICS
from monitoring.models import DatabaseReport, Snapshot
from monitoring.report import examine, findings_of, reusable_findings, save_report
from monitoring.tasks import database_report
from tenancy import active_scope, all_tenants

pytestmark = pytest.mark.usefixtures("committed")


def run(*arguments: str, **options: Any) -> str:
    output = StringIO()
    call_command("database_report", *arguments, stdout=output, **options)
    return output.getvalue()


def test_report_names_each_group_and_counts() -> None:
    text = run()
    for title in ("Connections, locks and transactions", "Indexes", "Backup", "Security"):
        assert f"\n{title}\n" in text
    assert " critical, " in text
    assert "query: " not in text
    assert "query: SELECT" in run(verbosity=2)


def test_report_as_json_holds_query_threshold_and_age() -> None:
    report = json.loads(run("--json"))
    found = {finding["metric"]: finding for finding in report["findings"]}
    assert report["server"]["version"] >= 15
    assert found["connections"]["threshold"] == "warning at 70%, critical at 85%"
    assert "max_connections" in found["connections"]["query"]
    assert found["sequential_scans"]["since"] is not None
    assert found["last_backup"]["level"] == "skipped"
    assert "record_backup" in found["last_backup"]["reason"]


def test_report_fails_on_what_it_is_told_to(settings: Settings) -> None:
    nothing = {metric.name: (math.inf, math.inf) for metric in METRICS}
    settings.MONITORING_THRESHOLDS = nothing | {"connections": (0.0, None)}
    run("--fail-on=critical")
    with pytest.raises(CommandError, match=r"0 critical, [1-9]"):
        run("--fail-on=warning")
    settings.MONITORING_THRESHOLDS = nothing | {"connections": (0.0, 0.0)}
    with pytest.raises(CommandError, match="1 critical"):
        run("--fail-on=critical")


@pytest.mark.parametrize("order", ["total", "mean", "calls", "rows", "io", "temporary"])
def test_report_lists_statements(order: str) -> None:
    assert "counted since" in run(f"--statements={order}")


def test_report_changes_nothing() -> None:
    run()
    with all_tenants("test"):
        assert not Snapshot.objects.exists()
        assert not DatabaseReport.objects.exists()


def test_job_keeps_a_snapshot_and_the_report() -> None:
    database_report()
    database_report()
    assert active_scope() is None
    with all_tenants("test"):
        assert Snapshot.objects.count() == 2
        kept = DatabaseReport.objects.latest()
    findings = findings_of(kept.findings)
    assert kept.level == max((f.level for f in findings), key=lambda level: level.badness)
    found = {finding.metric: finding for finding in findings}
    assert found["wal_rate"].since is not None
    assert found["deadlocks"].level is Level.OK


def test_costly_findings_are_taken_over_while_they_are_young() -> None:
    report = examine()
    save_report(report)
    young = reusable_findings(timezone.now())
    assert set(young) == {"table_bloat", "index_bloat", "lines_share"}
    again = {finding.metric: finding for finding in examine(reuse=young).findings}
    assert again["table_bloat"] == young["table_bloat"]
    assert again["connections"] != next(f for f in report.findings if f.metric == "connections")
