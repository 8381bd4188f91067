"""Alerts: opened, kept up to date and resolved from each report, and announced by notices."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from monitoring.delivery import deliver_notice, page_address
from monitoring.findings import Finding, Item, Level
from monitoring.models import Alert, Channel, Notice
from monitoring.report import Report, examine, reusable_findings, save_report
from tenancy import all_tenants, no_tenant

BAD = (Level.WARNING, Level.CRITICAL)
REMIND_EVERY = timedelta(days=1)
KEPT_FOR = timedelta(days=90)
ADVISORY_LOCK = 0x7265706C_00000002  # any number that nobody else locks

Key = tuple[str, str]  # metric and subject: one alert each


def run_check() -> None:
    """Examine the server, save the report, and update the alerts from it."""
    report = examine(reuse=reusable_findings(timezone.now()))
    save_report(report)
    sync_alerts(report)


def sync_alerts(report: Report) -> None:
    """Open, update and resolve alerts; what needs attention becomes notices."""
    now = report.server.now
    with all_tenants("alerts"), transaction.atomic():
        with connection.cursor() as cursor:  # one report at a time
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        known = {(alert.metric, alert.subject): alert for alert in Alert.objects.open()}
        found = dict(_bad_items(report.findings))
        alerts = [
            _update_alert(known.get(key), finding, item, now)
            for key, (finding, item) in found.items()
        ]
        resolved = [
            alert
            for key, alert in known.items()
            if key not in found and _is_resolved(key, report.findings)
        ]
        for alert in resolved:
            alert.resolved_at = now
            alert.save(update_fields=["resolved_at"])
        _notify(alerts, resolved, now)


def _bad_items(findings: Iterable[Finding]) -> Iterable[tuple[Key, tuple[Finding, Item]]]:
    for finding in findings:
        for item in finding.items:
            if item.level in BAD:
                yield (finding.metric, item.subject), (finding, item)


def _update_alert(alert: Alert | None, finding: Finding, item: Item, now: datetime) -> Alert:
    if alert is None:
        alert = Alert(metric=finding.metric, subject=item.subject, opened_at=now)
        before = Alert.objects.filter(metric=finding.metric, subject=item.subject).first()
        if before and before.is_snoozed(now):
            alert.snoozed_until, alert.note = before.snoozed_until, before.note
            alert.handled_by = before.handled_by
    alert.label, alert.level, alert.seen_at = finding.label, item.level, now
    alert.text, alert.value, alert.fix = item.text, item.value, item.fix
    alert.threshold = finding.threshold
    alert.save()
    return alert


def _is_resolved(key: Key, findings: Iterable[Finding]) -> bool:
    """Whether the report shows it: what was not checked or listed may be as bad as before."""
    metric, subject = key
    for finding in findings:
        if finding.metric == metric:
            hidden = finding.count > len(finding.items)
            unknown = any(i.subject == subject and i.level is Level.UNKNOWN for i in finding.items)
            was_checked = finding.level not in (Level.SKIPPED, Level.UNKNOWN)
            return was_checked and not hidden and not unknown
    return True  # the metric was removed


def _needs_notice(alert: Alert, now: datetime) -> bool:
    if alert.is_snoozed(now):
        return False
    notified = Level(alert.notified_level).badness if alert.notified_level else -1
    if Level(alert.level).badness > notified:
        return True
    reminder_due = alert.notified_at is not None and alert.notified_at <= now - REMIND_EVERY
    return reminder_due and alert.acknowledged_at is None


def _notify(bad: list[Alert], resolved: list[Alert], now: datetime) -> None:
    """One notice for each channel that has news: what it was not sent yet, however long open."""
    channels = {Channel.EMAIL: settings.ALERT_EMAILS, Channel.WEBHOOK: settings.ALERT_WEBHOOK_URL}
    notified: set[Alert] = set()
    for channel, address in channels.items():
        if not address:
            continue
        receiver = hashlib.sha256(str(address).encode()).hexdigest()
        sent = _sent(channel, receiver)
        news = [
            alert
            for alert in bad
            if _needs_notice(alert, now) or (alert.pk not in sent and not alert.is_snoozed(now))
        ]
        ended = [a for a in resolved if a.pk in sent and not a.is_snoozed(now)]
        if news or ended:
            notified.update(news)
            notice = Notice.objects.create(
                created_at=now,
                channel=channel,
                receiver=receiver,
                news={"alerts": [*map(_to_json, news)], "resolved": [*map(_to_json, ended)]},
            )
            with no_tenant():  # the queue is the login's own
                deliver_notice.defer(notice=notice.pk)
    for alert in notified:
        alert.notified_level, alert.notified_at = alert.level, now
        alert.save(update_fields=["notified_level", "notified_at"])


def _sent(channel: Channel, receiver: str) -> set[int]:
    """The alerts that were announced there."""
    notices = Notice.objects.filter(channel=channel, receiver=receiver)
    return {
        alert["id"] for news in notices.values_list("news", flat=True) for alert in news["alerts"]
    }


def _to_json(alert: Alert) -> dict[str, Any]:
    """What is sent outside; statements in a text have no values."""
    return {
        "id": alert.pk,
        "metric": alert.metric,
        "label": alert.label,
        "subject": alert.subject,
        "level": str(alert.level),
        "text": alert.text,
        "value": alert.value,
        "threshold": alert.threshold,
        "fix": alert.fix,
        "link": f"{page_address()}#alert-{alert.pk}",
        "opened_at": alert.opened_at.isoformat(),
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
    }


def forget_old_alerts(*, now: datetime) -> None:
    """Delete alerts resolved, and notices created, more than KEPT_FOR ago."""
    with all_tenants("alerts retention"):
        Alert.objects.filter(resolved_at__lt=now - KEPT_FOR).delete()
        Notice.objects.filter(created_at__lt=now - KEPT_FOR).delete()
