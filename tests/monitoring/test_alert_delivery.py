"""Notices reach a real server, signed, and are tried again until they do."""

import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core import mail
from django.db import connections
from django.test import override_settings
from django.utils import timezone
from pytest_django import Settings

from monitoring.delivery import NotDelivered, deliver, deliver_notice
from monitoring.models import Notice
from tenancy import all_tenants
from tests.worker import work

SECRET = "a secret of twenty characters"
NEWS: dict[str, Any] = {
    "alerts": [
        {
            "id": 7,
            "metric": "connections",
            "label": "Connections",
            "subject": "server",
            "level": "critical",
            "text": "86 of 100 connections are in use (50 of replytics_web)",
            "value": 86.0,
            "threshold": "warning at 70%, critical at 85%",
            "fix": "Put a transaction pooler in front",
            "link": "https://calls.example.com/admin/database/alerts/#alert-7",
            "opened_at": "2026-01-31T02:00:00+00:00",
            "resolved_at": None,
        }
    ],
    "resolved": [],
}
pytestmark = pytest.mark.usefixtures("committed")


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it; answers the statuses in `answers` in turn, then 204."""

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.answers: list[int] = []
        self.received: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}/hooks/replytics?key=1"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, with its key; it vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def receiver(
    certificate: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Receiver]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = Receiver(certificate)
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = server.url, SECRET
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def notice(channel: str) -> Notice:
    with all_tenants("test"):
        return Notice.objects.create(created_at=timezone.now(), channel=channel, news=NEWS)


def again(kept: Notice) -> Notice:
    with all_tenants("test"):
        kept.refresh_from_db()
    return kept


def test_webhook_gets_signed_json(receiver: Receiver) -> None:
    sent = notice("webhook")
    deliver(sent.pk)
    [(path, headers, body)] = receiver.received
    assert path == "/hooks/replytics?key=1"
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Replytics-Delivery"] == str(sent.pk)
    at, _, given = headers["X-Replytics-Signature"].removeprefix("t=").partition(",v1=")
    expected = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert given == expected
    told = json.loads(body)
    assert told["alerts"] == NEWS["alerts"]
    assert told["link"].endswith("/admin/database/alerts/")
    assert again(sent).delivered_at is not None
    deliver(sent.pk)  # begun again after a crash
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [301, 307, 400, 500, 503])
def test_refusal_and_redirect_are_failures(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    sent = notice("webhook")
    with pytest.raises(NotDelivered):
        deliver(sent.pk)
    assert len(receiver.received) == 1
    assert again(sent).error == f"status {status}"
    assert sent.delivered_at is None
    deliver(sent.pk)
    assert again(sent).error == ""


def test_certificate_that_nobody_vouches_for_is_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    sent = notice("webhook")
    with pytest.raises(ssl.SSLCertVerificationError):
        deliver(sent.pk)
    assert receiver.received == []
    assert again(sent).error == "SSLCertVerificationError"


def test_worker_tries_again_until_it_is_received(
    receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("ALERT_WEBHOOK_SECRET", SECRET)
    for name in settings.SCHEDULE:  # or the worker is still there when the second try is due
        monkeypatch.setenv(f"SCHEDULE_{name.upper()}", "0 0 29 2 *")
    receiver.answers = [503]
    sent = notice("webhook")
    deliver_notice.defer(notice=sent.pk)
    work()
    # Unless the worker was still there when the second try was due.
    assert again(sent).error == "status 503" or len(receiver.received) == 2
    with connections["owner"].cursor() as cursor:  # what some seconds do
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
    work()
    assert again(sent).delivered_at is not None
    deliveries = {headers["X-Replytics-Delivery"] for _, headers, _ in receiver.received}
    assert (len(receiver.received), deliveries) == (2, {str(sent.pk)})


def test_email_says_what_and_since_when(settings: Settings) -> None:
    settings.ALERT_EMAILS = ["ops@example.com", "boss@example.com"]
    sent = notice("email")
    deliver(sent.pk)
    [message] = mail.outbox
    assert message.to == ["ops@example.com", "boss@example.com"]
    assert message.subject == "[Replytics] Alerts: 1 open"
    assert "critical: Connections: server, since 2026-01-31" in message.body
    for part in ("text", "threshold", "fix", "link"):
        assert str(NEWS["alerts"][0][part]) in message.body
    assert "Value: 86;" in message.body
    assert "/admin/database/alerts/\n" in message.body
    assert again(sent).delivered_at is not None


@contextmanager
def mail_server_away() -> Iterator[None]:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
        yield


def test_email_that_could_not_be_sent_is_not_delivered(settings: Settings) -> None:
    settings.ALERT_EMAILS = ["ops@example.com"]
    sent = notice("email")
    with mail_server_away(), pytest.raises(ConnectionRefusedError):
        deliver(sent.pk)
    assert again(sent).error == "ConnectionRefusedError"
