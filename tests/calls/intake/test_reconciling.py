"""Twilio's list of calls fills in what callbacks lost."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from calls.models import Call, CallEvent
from tenants.models import PhoneNumber
from tenants.scoping import all_tenants, tenant
from tests.calls.intake.callbacks import ACCOUNT, TOKEN, new_sid
from tests.factories import make_call


def record(line: PhoneNumber, **overrides: Any) -> dict[str, Any]:
    """As in the Calls list resource."""
    return {
        "sid": new_sid(),
        "account_sid": ACCOUNT,
        "from": "+14155559999",
        "to": line.number,
        "direction": "inbound",
        "status": "completed",
        "start_time": "Tue, 31 Aug 2010 20:36:28 +0000",
        "duration": "15",
        "price": None,
        "uri": "/2010-04-01/…",
    } | overrides


def test_file_fills_what_is_missing(
    line: PhoneNumber, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck = make_call(line, status="answered", provider_status="in-progress", duration=0)
    ended = make_call(line, status="failed", provider_status="busy", duration=15)
    known = record(line, sid=ended.call_sid, status="busy", start_time=None)
    calls = [
        record(line),
        record(line, sid=stuck.call_sid),
        known,
        record(line, to="+19995550000"),
        record(line, sid="?"),
        record(line, start_time="Tue, 31 Feb", duration="NaN", status="no-answer"),
        "no call",
    ]
    path = tmp_path / "calls.json"
    path.write_text(json.dumps({"calls": calls}))
    call_command("reconcile_calls", str(path))
    told = capsys.readouterr().out
    assert "7 calls compared, 3 filled in" in told
    assert "duplicate: 1" in told
    assert "unknown_line: 1" in told
    assert "malformed: 2" in told
    with tenant(line.id):
        lost = Call.objects.get(call_sid=calls[0]["sid"])  # type: ignore[index]
        assert (lost.status, lost.duration) == ("completed", 15)
        assert lost.created_at == datetime(2010, 8, 31, 20, 36, 28, tzinfo=UTC)
        assert Call.objects.get(pk=stuck.pk).status == "completed"
        assert Call.objects.get(pk=ended.pk).provider_status == "busy"
        assert CallEvent.objects.filter(kind="reconciled").count() == 3
    call_command("reconcile_calls", str(path))
    assert "7 calls compared, 0 filled in" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["{", "{}", '"x"', "[" * 100_000])
def test_another_file_is_explained(line: PhoneNumber, tmp_path: Path, text: str) -> None:
    path = tmp_path / "calls.json"
    path.write_text(text)
    with pytest.raises(CommandError, match="Twilio"):
        call_command("reconcile_calls", str(path))
    with pytest.raises(CommandError, match="No such file"):
        call_command("reconcile_calls", str(tmp_path / "none"))


class Twilio(BaseHTTPRequestHandler):
    """A list of two pages, for the right credentials."""

    pages: list[dict[str, Any]]
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        body = json.dumps(self.pages[len(self.asked) - 1] if self.pages else {}).encode()
        self.send_response(200 if self.pages else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def twilio(settings: Settings) -> Iterator[type[Twilio]]:
    Twilio.pages, Twilio.asked = [], []
    server = HTTPServer(("127.0.0.1", 0), Twilio)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.TWILIO_API_URL = f"http://127.0.0.1:{server.server_port}"
    settings.TWILIO_ACCOUNT_SID = ACCOUNT
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    yield Twilio
    server.shutdown()
    server.server_close()


def test_twilio_is_asked_page_by_page(line: PhoneNumber, twilio: type[Twilio]) -> None:
    twilio.pages = [
        {"calls": [record(line)], "next_page_uri": "/2010-04-01/next?Page=1"},
        {"calls": [record(line)], "next_page_uri": None},
    ]
    call_command("reconcile_calls", from_twilio=True)
    with tenant(line.id):
        assert Call.objects.count() == 2
    assert [path.partition("?")[0] for path, _ in twilio.asked] == [
        f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json",
        "/2010-04-01/next",
    ]
    assert all(authorization for _, authorization in twilio.asked)


def test_trouble_with_twilio_is_explained(
    line: PhoneNumber, twilio: type[Twilio], settings: Settings
) -> None:
    with pytest.raises(CommandError, match="refuses TWILIO_ACCOUNT_SID"):
        call_command("reconcile_calls", from_twilio=True)
    settings.TWILIO_API_URL = "http://127.0.0.1:1"
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("reconcile_calls", from_twilio=True)
    settings.TWILIO_ACCOUNT_SID = ""
    with pytest.raises(CommandError, match="Set TWILIO_ACCOUNT_SID"):
        call_command("reconcile_calls", from_twilio=True)
    with all_tenants("test"):
        assert not Call.objects.exists()
