"""How a notice of alerts is delivered: by e-mail, or to a webhook with a signature.

Delivered at least once: a receiver recognizes repeats by the delivery number.
"""

import hashlib
import hmac
import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from monitoring.models import Channel, Notice
from tenancy import all_tenants

TIMEOUT = 10  # seconds, of connecting and of each read
# Eight attempts within an hour: 3, 9, 27 … seconds apart.
RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)


class NotDelivered(Exception):
    """The receiver did not answer 2xx; the message is the status."""


@app.task(retry=RETRY)
def deliver_notice(notice: int) -> None:
    deliver(notice)


def deliver(pk: int) -> None:
    """Send a notice unless it was sent. Raises any failure; the notice keeps its class alone."""
    with all_tenants("alert notice"):
        notice = Notice.objects.get(pk=pk)
    if notice.delivered_at:
        return
    try:
        SEND[Channel(notice.channel)](notice)
        notice.delivered_at, notice.error = timezone.now(), ""
    except Exception as error:
        # Never the text: it may contain the address, which can hold a secret.
        notice.error = str(error) if isinstance(error, NotDelivered) else type(error).__name__
        raise
    finally:
        with all_tenants("alert notice"):
            notice.save(update_fields=["delivered_at", "error"])


def send_email(notice: Notice) -> None:
    bad, resolved = notice.news["alerts"], notice.news["resolved"]
    counts = [f"{len(bad)} open" if bad else "", f"{len(resolved)} resolved" if resolved else ""]
    lines = [*map(_paragraph, bad), *(f"Resolved: {_line(alert)}\n" for alert in resolved)]
    EmailMessage(
        subject=f"[Replytics] Alerts: {', '.join(filter(None, counts))}",
        body="\n".join([*lines, f"All alerts: {page_address()}", ""]),
        to=settings.ALERT_EMAILS,
        headers={"X-Replytics-Delivery": str(notice.pk)},
    ).send()


def _line(alert: dict[str, Any]) -> str:
    return f"{alert['level']}: {alert['label']}: {alert['subject']}, since {alert['opened_at']}"


def _paragraph(alert: dict[str, Any]) -> str:
    lines = [_line(alert), f"  {alert['text']}"]
    if alert["value"] is not None:
        value = f"{alert['value']:,.2f}".rstrip("0").rstrip(".")
        lines.append(f"  Value: {value}; {alert['threshold'] or 'no threshold'}")
    if alert["fix"]:
        lines.append(f"  Fix: {alert['fix']}")
    return "\n".join([*lines, f"  {alert['link']}", ""])


def send_to_webhook(notice: Notice) -> None:
    """POST it; anything but 2xx is a failure, a redirect too."""
    body = json.dumps({"delivery": notice.pk, "link": page_address(), **notice.news}).encode()
    url = urlsplit(settings.ALERT_WEBHOOK_URL)
    at = str(int(timezone.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Replytics",
        "X-Replytics-Delivery": str(notice.pk),
        "X-Replytics-Signature": f"t={at},v1={signature(at, body)}",
    }
    connection = http.client.HTTPSConnection(
        url.hostname or "", url.port, timeout=TIMEOUT, context=ssl.create_default_context()
    )
    try:
        connection.request("POST", url._replace(scheme="", netloc="").geturl(), body, headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise NotDelivered(f"status {status}")


def signature(at: str, body: bytes) -> str:
    """HMAC-SHA256 of the time in Unix seconds, a dot, and the body."""
    key = settings.ALERT_WEBHOOK_SECRET.encode()
    return hmac.new(key, at.encode() + b"." + body, hashlib.sha256).hexdigest()


def page_address() -> str:
    return f"{settings.PUBLIC_URL}{reverse('database:alerts')}"


SEND = {Channel.EMAIL: send_email, Channel.WEBHOOK: send_to_webhook}
