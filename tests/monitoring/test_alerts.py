"""What turns bad is told once, until it is well again; people acknowledge and snooze it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import Settings

from monitoring.alerts import KEPT_FOR, forget_old_alerts, sync_alerts
from monitoring.findings import Finding, Item, Level
from monitoring.models import Alert, Notice
from monitoring.report import Report, examine
from monitoring.tasks import database_report
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import pick
from tests.factories import make_line
from tests.monitoring.conftest import browser

Look = Callable[..., list[dict[str, Any]]]
pytestmark = pytest.mark.usefixtures("committed")
DAY = timedelta(days=1)


@pytest.fixture
def look(settings: Settings) -> Look:
    """Follows a report with these items of one metric, so much later; returns what is told."""
    settings.ALERT_EMAILS = ["ops@example.com"]
    base = examine()
    [blank] = [finding for finding in base.findings if finding.metric == "idle_in_transaction"]

    def look(
        *items: tuple[str, Level], after: timedelta = timedelta(), **changed: Any
    ) -> list[dict[str, Any]]:
        listed = [
            Item(level, subject, 1.0, f"{subject} of line pn_1", "Do this")
            for subject, level in items
        ]
        finding = replace(
            blank,
            level=changed.pop("level", max((i.level for i in listed), default=Level.OK)),
            items=listed,
            count=changed.pop("count", len(listed)),
        )
        server = replace(base.server, now=base.server.now + after)
        with all_tenants("test"):
            before = Notice.objects.count()
            sync_alerts(Report(server, [finding], 1.0))
            return [notice.news for notice in Notice.objects.all()][
                : Notice.objects.count() - before
            ]

    return look


def told(news: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Subjects of the alerts and of the resolved ones in at most one notice."""
    if not news:
        return [], []
    [only] = news
    return [a["subject"] for a in only["alerts"]], [a["subject"] for a in only["resolved"]]


def the_alert() -> Alert:
    with all_tenants("test"):
        return Alert.objects.open().get()


A_BAD, A_WORSE, B_BAD = ("a", Level.WARNING), ("a", Level.CRITICAL), ("b", Level.WARNING)


def test_alert_is_told_when_it_opens_gets_worse_and_ends(look: Look) -> None:
    assert told(look()) == ([], [])
    assert told(look(A_BAD)) == (["a"], [])
    assert told(look(A_BAD)) == ([], [])
    assert told(look(A_BAD, B_BAD)) == (["b"], [])
    assert told(look(A_WORSE, B_BAD)) == (["a"], [])
    assert told(look(A_BAD, B_BAD)) == ([], [])  # better is no news
    assert told(look(B_BAD)) == ([], ["a"])
    assert told(look(A_BAD)) == (["a"], ["b"])  # the next time is another one
    assert told(look()) == ([], ["a"])
    assert told(look()) == ([], [])


def test_alert_is_told_again_every_day_until_somebody_is_at_it(look: Look) -> None:
    look(A_BAD)
    assert told(look(A_BAD, after=DAY / 2)) == ([], [])
    assert told(look(A_BAD, after=DAY)) == (["a"], [])
    with all_tenants("test"):
        the_alert().acknowledge(by="ann", note="at it", now=the_alert().seen_at)
    assert told(look(A_BAD, after=3 * DAY)) == ([], [])
    assert told(look(A_WORSE, after=3 * DAY)) == (["a"], [])
    assert told(look(after=4 * DAY)) == ([], ["a"])


def test_snoozed_alert_is_silent_even_if_it_comes_again(look: Look) -> None:
    look(A_BAD)
    with all_tenants("test"):
        the_alert().snooze(by="ann", note="known", until=the_alert().seen_at + DAY)
    assert told(look(A_WORSE, after=DAY / 4)) == ([], [])
    assert told(look(after=DAY / 3)) == ([], [])
    assert told(look(A_BAD, after=DAY / 2)) == ([], [])
    assert the_alert().note == "known"
    assert told(look(A_BAD, after=DAY)) == (["a"], [])


@pytest.mark.parametrize(
    "changed",
    [
        {"level": Level.SKIPPED},
        {"level": Level.UNKNOWN},
        {"items": [("a", Level.UNKNOWN), B_BAD], "level": Level.WARNING},
        {"items": [B_BAD], "count": 30},  # it may be among those that are not listed
    ],
)
def test_what_was_not_seen_is_not_resolved(look: Look, changed: dict[str, Any]) -> None:
    look(A_BAD, B_BAD)
    assert told(look(*changed.pop("items", []), **changed)) == ([], [])


def test_one_open_alert_for_each_metric_and_subject(look: Look) -> None:
    for _ in range(3):
        look(A_BAD, B_BAD)
    with all_tenants("test"):
        assert sorted(Alert.objects.open().values_list("subject", flat=True)) == ["a", "b"]


def test_news_hold_what_it_takes_to_act(look: Look) -> None:
    [news] = look(A_BAD)
    [alert] = news["alerts"]
    assert alert["text"] == "a of line pn_1"
    assert (alert["value"], alert["fix"]) == (1.0, "Do this")
    assert alert["threshold"] == "warning at 60 s, critical at 600 s"
    link = alert["link"]
    assert link.endswith(f"/admin/database/alerts/#alert-{the_alert().pk}")
    page = browser("view_databasereport").get(reverse("database:alerts")).text
    assert f'id="{link.partition("#")[2]}"' in page


def test_alerts_that_are_open_when_somebody_is_named_are_sent(
    look: Look, settings: Settings
) -> None:
    settings.ALERT_EMAILS = []
    assert look(A_BAD) == []
    assert look(A_BAD) == []
    settings.ALERT_EMAILS = ["ops@example.com"]
    assert told(look(A_BAD)) == (["a"], [])
    assert look(A_BAD) == []


@pytest.mark.parametrize("acknowledged", [False, True])
def test_each_channel_gets_what_was_open_before_it(
    look: Look, settings: Settings, acknowledged: bool
) -> None:
    look(A_BAD)
    if acknowledged:
        with all_tenants("test"):
            the_alert().acknowledge(by="ann", note="", now=the_alert().seen_at)
    settings.ALERT_WEBHOOK_URL = "https://hooks.example.com/x"
    assert told(look(A_BAD)) == (["a"], [])
    with all_tenants("test"):
        assert [notice.channel for notice in Notice.objects.all()] == ["webhook", "email"]
    assert look(A_BAD) == []
    settings.ALERT_EMAILS = ["others@example.com"]
    assert told(look(A_BAD)) == (["a"], [])
    assert len(look()) == 2  # resolved


def test_a_snoozed_alert_is_not_sent_to_a_new_channel(look: Look, settings: Settings) -> None:
    look(A_BAD)
    with all_tenants("test"):
        the_alert().snooze(by="ann", note="known", until=the_alert().seen_at + DAY)
    settings.ALERT_EMAILS = ["others@example.com"]
    assert look(A_BAD) == []
    assert told(look(A_BAD, after=DAY)) == (["a"], [])


def test_schedule_opens_alerts_of_real_findings(settings: Settings) -> None:
    settings.MONITORING_THRESHOLDS = {"connections": (0.0, 0.0)}
    database_report()
    with all_tenants("test"):
        assert Alert.objects.get(metric="connections").level == "critical"
    settings.MONITORING_THRESHOLDS = {}
    database_report()
    with all_tenants("test"):
        assert Alert.objects.get(metric="connections").resolved_at is not None


def test_old_alerts_are_forgotten(look: Look) -> None:
    look(A_BAD, B_BAD)
    look(B_BAD)
    with all_tenants("test"):
        [gone] = Alert.objects.exclude(resolved_at=None)
        ended = gone.resolved_at
        assert isinstance(ended, datetime)
        forget_old_alerts(now=ended + KEPT_FOR)
        assert Alert.objects.count() == 2
        forget_old_alerts(now=ended + KEPT_FOR + timedelta(seconds=1))
        assert [alert.subject for alert in Alert.objects.all()] == ["b"]
        assert not Notice.objects.exists()


def test_alerts_page_acknowledges_and_snoozes(look: Look) -> None:
    look(A_BAD)
    page, handle = reverse("database:alerts"), reverse("database:alert", args=[the_alert().pk])
    operator = browser("change_alert", "view_databasereport")
    assert "a of line pn_1" in operator.get(page).text
    operator.post(handle, {"note": "mine", "hours": ""})
    assert the_alert().acknowledged_at is not None
    assert (the_alert().handled_by, the_alert().note) == (
        "change_alert-view_databasereport",
        "mine",
    )
    answer = operator.post(handle, {"note": "known", "hours": "8"}, follow=True)
    assert "snoozed by" in answer.text
    assert the_alert().snoozed_until is not None
    until = the_alert().snoozed_until
    for nonsense in ({"hours": "5"}, {"note": "x" * 501}):
        assert "Alert not changed" in operator.post(handle, nonsense, follow=True).text
    assert "Alert not changed" in operator.get(handle, follow=True).text
    assert the_alert().snoozed_until == until
    look()
    assert "already been resolved" in operator.post(handle, {"hours": ""}, follow=True).text


def test_alerts_page_is_for_those_with_the_permission(look: Look) -> None:
    look(A_BAD)
    page, handle = reverse("database:alerts"), reverse("database:alert", args=[the_alert().pk])
    assert browser().get(page).status_code == 403
    looker = browser("view_databasereport")
    assert "Acknowledge" not in looker.get(page).text
    assert looker.post(handle, {"hours": ""}).status_code == 403
    line: PhoneNumber = make_line()
    pick(looker, line)
    assert looker.get(page).status_code == 302
    assert the_alert().acknowledged_at is None


def test_finding_of_a_metric_that_is_gone_is_resolved(look: Look) -> None:
    look(A_BAD)
    report = examine()
    kept: list[Finding] = [f for f in report.findings if f.metric != "idle_in_transaction"]
    sync_alerts(replace(report, findings=kept))
    with all_tenants("test"):
        assert not Alert.objects.open().filter(metric="idle_in_transaction").exists()
