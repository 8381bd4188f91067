"""Twilio's list of calls fills in what callbacks lost."""

import csv
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from calls.intake.webhooks.replaying import replay_events
from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.call_files import own_call
from tests.calls.intake.callbacks import ACCOUNT, RECORDING_URL, TOKEN, new_sid
from tests.factories import make_call

SID = "CA" + "5" * 32


def record(line: PhoneNumber, **overrides: Any) -> dict[str, Any]:
    """As in the Calls list resource."""
    return {
        "sid": new_sid(),
        "account_sid": ACCOUNT,
        "from": "+14155559999",
        "to": line.number,
        "direction": "inbound",
        "status": "completed",
        "date_created": "Tue, 31 Aug 2010 20:36:20 +0000",
        "start_time": "Tue, 31 Aug 2010 20:36:28 +0000",
        "duration": "15",
        "price": None,
        "uri": "/2010-04-01/…",
    } | overrides


def test_file_fills_what_is_missing(
    line: PhoneNumber, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck = make_call(line, status="answered", provider_status="in-progress", duration=0)
    busy: dict[str, Any] = {"status": "failed", "provider_status": "busy", "duration": 15}
    ended = make_call(line, created_at=datetime(2010, 8, 31, 20, tzinfo=UTC), **busy)
    lost = record(line)
    calls = [
        lost,
        record(line, sid=stuck.call_sid, recording_url=RECORDING_URL),
        record(line, sid=ended.call_sid, status="busy", start_time=None),
        record(line, to="+19995550000"),
        record(line, sid="?"),
        record(line, start_time="Tue, 31 Feb"),
        record(line, duration="NaN"),
        record(line, status="vanished"),
        "no call",
    ]
    path = tmp_path / "calls.json"
    path.write_text(json.dumps({"calls": calls}))
    call_command("reconcile_calls", str(path))
    told = capsys.readouterr().out
    assert "Calls compared: 9, filled in: 2." in told
    assert "duplicate: 1" in told
    assert "rejected: 6" in told
    report = Path(f"{path}.rejects.csv").read_text().splitlines()
    rejects = list(csv.DictReader(report))
    assert [row["row"] for row in rejects] == ["4", "5", "6", "7", "8", "9"]
    assert all(row["reason"] for row in rejects)
    with tenant(line.id):
        call = Call.objects.get(call_sid=lost["sid"])
        assert (call.status, call.duration) == ("completed", 15)
        assert call.created_at == datetime(2010, 8, 31, 20, 36, 28, tzinfo=UTC)
        filled = Call.objects.get(pk=stuck.pk)
        assert (filled.status, filled.recording_url) == ("completed", RECORDING_URL)
        assert Call.objects.get(pk=ended.pk).provider_status == "busy"
        assert CallEvent.objects.filter(kind="reconciled").count() == 2
    call_command("reconcile_calls", str(path))
    assert "Calls compared: 9, filled in: 0." in capsys.readouterr().out


def in_console_csv(line: PhoneNumber) -> bytes:
    """As Twilio's console exports it; the time in the zone of whoever asked."""
    header = "Call Sid,From,To,Direction,Status,Start Time,Duration"
    row = f"{SID},+14155559999,{line.number},Incoming,No Answer,22:36:28 CEST 2010-08-31,0"
    return f"{header}\n{row}\n".encode()


def in_json_lines(line: PhoneNumber) -> bytes:
    return json.dumps(record(line, sid=SID, status="no-answer")).encode()


@pytest.mark.parametrize("written", [in_console_csv, in_json_lines])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_file_may_have_any_format_of_an_import(
    line: PhoneNumber,
    tmp_path: Path,
    written: Callable[[PhoneNumber], bytes],
    compress: Callable[[bytes], bytes],
) -> None:
    path = tmp_path / "calls"
    path.write_bytes(compress(written(line)))
    call_command("reconcile_calls", str(path), "--timezone=Europe/Berlin")
    with tenant(line.id):
        call = Call.objects.get(call_sid=SID)
        assert (call.status, call.provider_status) == ("failed", "no-answer")
        assert call.created_at == datetime(2010, 8, 31, 20, 36, 28, tzinfo=UTC)


def test_what_was_filled_in_is_an_event_that_can_be_replayed(
    line: PhoneNumber, tmp_path: Path
) -> None:
    path = tmp_path / "calls.json"
    outbound = {"direction": "outbound-dial", "from": line.number, "to": "+14155559999"}
    path.write_text(json.dumps([record(line), record(line, **outbound)]))
    call_command("reconcile_calls", str(path))
    with all_tenants("test"):
        ids = CallEvent.objects.values_list("pk", flat=True)
        before = list(Call.objects.order_by("id").values())
        assert {row["caller_number"] for row in before} == {"+14155559999"}
        assert replay_events(list(ids)) == {"duplicate": 2}
        assert list(Call.objects.order_by("id").values()) == before


def test_a_caller_that_our_export_does_not_know_stays_unknown(
    line: PhoneNumber, tmp_path: Path
) -> None:
    path = tmp_path / "calls.jsonl"
    call = own_call(call_sid=SID, number=line.number, caller_number="unknown")
    path.write_text(json.dumps(call) + "\n")
    call_command("reconcile_calls", str(path))
    with tenant(line.id):
        assert Call.objects.get(call_sid=SID).caller_number == "unknown"


@pytest.mark.parametrize("text", ["", "{", "{}", '"x"', "[" * 100_000, "a,b\n1,2\n"])
def test_another_file_is_explained(line: PhoneNumber, tmp_path: Path, text: str) -> None:
    path = tmp_path / "calls.json"
    path.write_text(text)
    with pytest.raises(CommandError) as refused:
        call_command("reconcile_calls", str(path))
    assert str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(CommandError, match="No such file"):
        call_command("reconcile_calls", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("option", "reason"),
    [("--days=0", "1 to 400"), ("--timezone=Mars", "IANA"), ("--rejects=/", "rejects")],
)
def test_nonsense_is_refused(tmp_path: Path, option: str, reason: str) -> None:
    path = tmp_path / "calls.json"
    path.write_text("[]")
    with pytest.raises(CommandError, match=reason):
        call_command("reconcile_calls", str(path), option)


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
    with pytest.raises(CommandError, match="rejected TWILIO_ACCOUNT_SID"):
        call_command("reconcile_calls", from_twilio=True)
    settings.TWILIO_API_URL = "http://127.0.0.1:1"
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("reconcile_calls", from_twilio=True)
    settings.TWILIO_ACCOUNT_SID = ""
    with pytest.raises(CommandError, match="Set TWILIO_ACCOUNT_SID"):
        call_command("reconcile_calls", from_twilio=True)
    with all_tenants("test"):
        assert not Call.objects.exists()
