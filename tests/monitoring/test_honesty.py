"""What could not be looked at is skipped, and says why; it is never called ok."""

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

import psycopg
import pytest
from pytest_django.fixtures import Settings

from monitoring.checks import check_thresholds
from monitoring.findings import Finding, Level
from monitoring.metrics import METRICS
from monitoring.metrics.base import Metric
from monitoring.report import examine
from monitoring.server import inspect_server, read_only_transaction
from monitoring.tasks import database_report
from tests.monitoring.conftest import Connect

Find = Callable[[str], Finding]
RIGHT = "pg_read_all_stats"


@pytest.fixture
def short_sighted(administrator: "psycopg.Connection[Any]") -> Iterator[None]:
    """Staff without the right to see what other logins do."""
    administrator.execute(f"REVOKE {RIGHT} FROM replytics_staff")
    try:
        yield
    finally:
        administrator.execute(f"GRANT {RIGHT} TO replytics_staff")


@pytest.mark.usefixtures("short_sighted")
def test_without_the_right_nothing_is_called_ok_that_was_not_seen(settings: Settings) -> None:
    # What this login does itself is seen, and would be told on a slow machine.
    settings.MONITORING_THRESHOLDS = {
        metric.name: (math.inf, math.inf) for metric in METRICS if metric.needs_all_stats
    }
    findings = {finding.metric: finding for finding in examine().findings}
    for metric in METRICS:
        if metric.needs_all_stats:
            assert findings[metric.name].level is Level.SKIPPED
            assert f"GRANT {RIGHT} TO replytics_staff" in findings[metric.name].reason
    assert findings["connections"].level is Level.OK


@pytest.mark.usefixtures("short_sighted")
def test_without_the_right_the_own_sessions_are_still_named(
    connect: Connect, finding: Find, settings: Settings
) -> None:
    settings.MONITORING_THRESHOLDS = {"idle_in_transaction": (0.0, 3600.0)}
    connect("owner", name="unseen").execute("BEGIN")
    assert finding("idle_in_transaction").level is Level.SKIPPED
    connect(name="seen").execute("BEGIN")
    found = finding("idle_in_transaction")
    assert found.level is Level.WARNING
    assert [item.subject.rpartition(" ")[2] for item in found.items] == ["seen"]


def test_without_the_extension_statements_are_skipped(
    administrator: "psycopg.Connection[Any]",
) -> None:
    administrator.execute("DROP EXTENSION pg_stat_statements")
    try:
        findings = {finding.metric: finding for finding in examine().findings}
    finally:
        administrator.execute("CREATE EXTENSION pg_stat_statements")
    for name in ("slow_statements", "busiest_statements", "forgotten_statements"):
        assert findings[name].level is Level.SKIPPED
        assert "CREATE EXTENSION pg_stat_statements" in findings[name].reason
    assert findings["connections"].level is Level.OK


@pytest.mark.usefixtures("committed")
def test_every_query_runs_on_this_server(settings: Settings) -> None:
    settings.MONITORING_STATISTICS_DAYS = 0
    database_report()
    database_report()  # what needs two snapshots has them
    failed = {f.metric: f.reason for f in examine().findings if "failed" in f.reason}
    assert failed == {}


def test_young_counters_do_not_tell_what_is_unused(finding: Find, settings: Settings) -> None:
    settings.MONITORING_STATISTICS_DAYS = 3
    found = finding("unused_indexes")
    assert found.level is Level.SKIPPED
    assert "3 are needed" in found.reason


class Wrong(Metric):
    group = "server"
    name = "wrong"
    label = help = summary = "wrong"
    sql: ClassVar[str] = "SELECT 1 / 0 AS value, '+14155550123' AS subject"


@pytest.mark.usefixtures("committed")
def test_failing_query_is_unknown_and_harms_no_other() -> None:
    with read_only_transaction(reason="test") as cursor:
        server = inspect_server(cursor)
        found = Wrong().find(cursor, server)
        cursor.execute("SELECT current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("on",)
    assert found.level is Level.UNKNOWN
    assert found.reason == "the query failed: division by zero"


@pytest.mark.usefixtures("committed")
def test_each_finding_says_how_it_was_found() -> None:
    report = examine()
    assert [finding.metric for finding in report.findings] == [m.name for m in METRICS]
    for finding in report.findings:
        assert finding.help
        assert finding.query
        assert finding.taken_at == report.server.now
        if finding.level in (Level.SKIPPED, Level.UNKNOWN):
            assert finding.reason or finding.items
        if finding.level in (Level.WARNING, Level.CRITICAL):
            assert all(item.fix for item in finding.items if item.level is finding.level)


def test_names_of_metrics_differ() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)


def test_thresholds_of_the_operator_count(finding: Find, settings: Settings) -> None:
    settings.MONITORING_THRESHOLDS = {"connections": (0.0, None)}
    found = finding("connections")
    assert (found.level, found.threshold) == (Level.WARNING, "warning at 0%")


@pytest.mark.parametrize(
    ("name", "refused", "hint"),
    [
        ("connections", (80.0, 60.0), "connections=60/80"),
        ("cache_hits", (60.0, 80.0), "cache_hits=80/60"),  # low values are bad
    ],
)
def test_a_threshold_that_is_critical_before_its_warning_is_an_error(
    settings: Settings, name: str, refused: tuple[float, float], hint: str
) -> None:
    settings.MONITORING_THRESHOLDS = {name: refused}
    [error] = check_thresholds()
    assert error.id == "monitoring.E002"
    assert error.hint is not None
    assert hint in error.hint
    settings.MONITORING_THRESHOLDS = {name: refused[::-1]}
    assert check_thresholds() == []


def test_threshold_of_no_metric_is_an_error(settings: Settings) -> None:
    settings.MONITORING_THRESHOLDS = {"connection": (1.0, None)}
    [error] = check_thresholds()
    assert error.id == "monitoring.E001"
    assert error.hint is not None
    assert "connections, " in error.hint


@pytest.mark.usefixtures("committed")
def test_old_counters_are_as_old_as_the_first_migration() -> None:
    with read_only_transaction(reason="test") as cursor:
        server = inspect_server(cursor)
    assert server.age_of_counters is not None
    assert timedelta(0) < server.age_of_counters
