"""Staff hear of quiet lines and of transfers that reach nobody, each in an owner's sentence."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from analytics.line_health.metrics import FailingTransfers, QuietLines
from analytics.line_health.sentences import quiet_sentence
from monitoring.alerts import sync_alerts
from monitoring.findings import Finding, Level
from monitoring.models import Alert
from monitoring.report import Report
from monitoring.server import inspect_server, read_only_transaction
from tenancy import all_tenants
from tenants.models import ConversationRule, PhoneNumber, TransferPlace
from tests.analytics.line_health.lines import call_often, check, learn
from tests.factories import make_call, make_line

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DESK = "+14155550123"
INSERT_LEG = """
INSERT INTO call_legs (phone_id, call_sid, leg_sid, "to", status, started_at)
VALUES (%s, %s, 'leg of ' || %s, %s, %s, %s)
"""
INSERT_QUIET = """
INSERT INTO quiet_lines (phone_id, state, last_call_at, expected, surprise, alarm_at, refused,
    cause, noticed_at)
SELECT id, 'quiet', now() - interval '1 day', 9, 9, 9, 0, '', now() FROM phone_numbers
"""


@pytest.fixture(autouse=True)
def public_url(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://replytics.example"


def find(metric: type[QuietLines | FailingTransfers]) -> Finding:
    with read_only_transaction(reason="test") as cursor:
        server = inspect_server(cursor)
        return metric().find(cursor, server)


def alerts() -> dict[str, str]:
    """The text of each open alert, after a report of now."""
    with read_only_transaction(reason="test") as cursor:
        server = inspect_server(cursor)
        findings = [metric().find(cursor, server) for metric in (QuietLines, FailingTransfers)]
    sync_alerts(Report(server, findings, 1.0))
    with all_tenants("test"):
        return {alert.subject: alert.text for alert in Alert.objects.open()}


def dial(line: PhoneNumber, status: str, at: datetime) -> None:
    call = make_call(line, created_at=at)
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(INSERT_LEG, [line.pk, call.call_sid, call.call_sid, DESK, status, at])


def transfer(line: PhoneNumber, to: str, **columns: Any) -> None:
    with all_tenants("test data"):
        ConversationRule.objects.create(
            phone=line, rule_type="transfer", actions={"transfer_to": to}, **columns
        )


# A report rolls its own transaction back.
@pytest.mark.usefixtures("committed")
def test_a_quiet_line_is_an_alert_until_a_call_comes() -> None:
    now = timezone.now()
    line = make_line(id="pn_dental", business_name="Sunrise Dental", timezone="America/New_York")
    call_often(line, until=now - 8 * DAY)
    learn(now - 8 * DAY)
    check(now)
    [(subject, text)] = alerts().items()
    assert subject == "pn_dental"
    assert text.startswith("Sunrise Dental has had no call since ")
    assert "by its usual weeks " in text
    with all_tenants("test"):
        fix = Alert.objects.get().fix
    assert "https://replytics.example/admin/tenants/phonenumber/pn_dental/change/" in fix
    make_call(line, created_at=now)
    check(now + HOUR / 10)
    assert alerts() == {}


def test_the_sentence_is_on_the_lines_clock() -> None:
    row = {
        "business_name": "Sunrise Dental",
        "timezone": "America/New_York",
        "last_call_at": datetime(2026, 6, 15, 13, 12, tzinfo=UTC),
        "value": 5.44,
        "refused": 0,
        "cause": "",
    }
    now = datetime(2026, 6, 15, 20, tzinfo=UTC)
    assert quiet_sentence(row, now=now) == (
        "Sunrise Dental has had no call since Monday 09:12; by its usual Mondays 5.4 were"
        " expected."
    )
    assert "since Monday 09:12; by its usual weeks" in quiet_sentence(row, now=now + DAY)
    assert "since Monday 2026-06-15 09:12;" in quiet_sentence(row, now=now + 7 * DAY)
    refused = row | {"refused": 2, "cause": "The token was changed."}
    assert quiet_sentence(refused, now=now).endswith(
        " Since then 2 callbacks of its calls could not be used: The token was changed."
    )


@pytest.mark.usefixtures("committed")
def test_nothing_is_known_without_a_check_of_late() -> None:
    """Alerts that are open stay so."""
    assert find(QuietLines).level is Level.SKIPPED
    check(timezone.now() - HOUR)
    assert find(QuietLines).level is Level.UNKNOWN
    check(timezone.now())
    assert find(QuietLines).level is Level.OK


@pytest.mark.usefixtures("committed")
def test_many_quiet_lines_are_one_critical_alert_first() -> None:
    for _ in range(21):
        make_line()
    check(timezone.now())
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(INSERT_QUIET)
    first, *others = find(QuietLines).items
    assert (first.subject, first.level, first.value) == ("many lines", Level.CRITICAL, 21)
    assert {item.level for item in others} == {Level.WARNING}


@pytest.mark.usefixtures("committed")
def test_a_failing_target_is_an_alert_until_somebody_answers() -> None:
    now = timezone.now()
    line = make_line(id="pn_dental", business_name="Sunrise Dental")
    for days in range(1, 7):
        dial(line, "no-answer" if days % 2 else "busy", now - days * DAY)
    assert alerts() == {}  # no rule uses it
    with all_tenants("test data"):
        TransferPlace.objects.create(phone=line, name="Front desk", number=DESK)
    transfer(line, "Front desk", is_active=False)
    assert alerts() == {}
    transfer(line, "Front desk", priority=20)
    transfer(line, DESK, priority=5)
    began = f"{now - 6 * DAY:%A %Y-%m-%d %H:%M}"
    assert alerts() == {
        "pn_dental, Front desk (…0123)": (
            "Sunrise Dental: the last 6 transfers to Front desk (…0123) failed, since"
            f" {began}. 2 transfer rules use it, of priority 20, 5."
        )
    }
    dial(line, "completed", now)
    assert alerts() == {}


@pytest.mark.usefixtures("committed")
def test_a_target_of_another_line_does_not_count() -> None:
    now = timezone.now()
    line, other = make_line(), make_line()
    for days in range(1, 6):
        dial(other, "busy", now - days * DAY)
    transfer(line, DESK)
    assert alerts() == {}
    transfer(other, DESK)
    assert [subject.split(",")[0] for subject in alerts()] == [other.pk]


def test_the_command_lists_what_it_found(line: PhoneNumber) -> None:
    now = timezone.now()
    call_often(line, until=now - 8 * DAY)
    learn(now - 8 * DAY)
    for _ in range(5):
        dial(line, "busy", now - 8 * DAY)
    transfer(line, DESK)
    output = StringIO()
    call_command("check_lines", stdout=output)
    missing, failing, summary = output.getvalue().splitlines()
    assert missing.startswith(f"quiet: {line.pk}: Bakery has had no call since ")
    assert failing.startswith(f"failing: {line.pk}: Bakery: the last 5 transfers to …0123 failed")
    assert summary == "1 line checked: 1 quiet, 0 watched; 1 failing transfer target."
    assert "4155559999" not in output.getvalue()
