"""Without the database the provider is told to come again, and nothing is half done."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import connection

from calls.claims import CLAIMED
from calls.intake.webhooks import deadline
from calls.models import Call, CallEvent
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.api.conftest import make_key, put
from tests.calls.intake.callbacks import RECORDING, new_sid, post, recording_event, voice_event
from tests.factories import make_call, make_line
from tests.outages import database_at, locked

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def patient() -> None:
    """Here an event is put off as soon as in production."""


def assert_put_off(response: Any) -> None:
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


ARCHIVED = "app.archived_call_sids"


@pytest.mark.parametrize("table", ["calls", "call_events", "phone_numbers", ARCHIVED])
def test_locked_table_puts_events_off(table: str) -> None:
    make_line(number="+14155550101")
    sid = new_sid()
    with locked(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"):
        # They answer while the lock is still held.
        assert_put_off(post(voice_event(sid, "ringing")))
        if table not in {"phone_numbers", ARCHIVED}:  # a recording makes no call
            assert_put_off(post(recording_event(sid, "completed"), path=RECORDING))
    with all_tenants("test"):
        assert not Call.objects.exists()
        assert not CallEvent.objects.exists()
    assert post(voice_event(sid, "ringing")).status_code == 204


def test_locked_call_puts_its_events_off_and_no_others() -> None:
    line = make_line(number="+14155550101")
    call = make_call(line, status="ringing")
    key = make_key(line)
    take_turn = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
    # Turns are taken within the line, so that it waits for no other.
    with locked(take_turn, call.call_sid + CLAIMED.format(line.pk)):
        assert_put_off(post(voice_event(call.call_sid, "completed")))
        problem = put(key, call.call_sid, {"transcript": "x"})
        assert_put_off(problem)
        assert problem["Content-Type"] == "application/problem+json"
        assert post(voice_event(new_sid(), "ringing")).status_code == 204
    assert post(voice_event(call.call_sid, "completed")).status_code == 204


def test_stopped_database_puts_events_off(line_number: str) -> None:
    with database_at(1):
        assert_put_off(post(voice_event(new_sid(), "ringing")))
        assert_put_off(put("a" * 12 + "." + "b" * 43, new_sid(), {}))
    assert post(voice_event(new_sid(), "ringing", To=line_number)).status_code == 204


def test_silent_database_puts_events_off(line_number: str) -> None:
    """Packets that nobody answers: the connection is given up, not waited for."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with database_at(silent.getsockname()[1]):
            assert_put_off(post(voice_event(new_sid(), "ringing", To=line_number)))


def test_killed_session_puts_its_event_off(line_number: str) -> None:
    sid = new_sid()
    answers: list[Any] = []

    def send() -> None:
        answers.append(post(voice_event(sid, "ringing", To=line_number)))
        connection.close()

    take_turn = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
    with locked(take_turn, sid):
        sender = threading.Thread(target=send)
        sender.start()
        with connection.cursor() as cursor:
            while sender.is_alive():
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                    " wait_event = 'advisory' AND usename = current_user"
                    " AND datname = current_database()"
                )
        sender.join()
    assert_put_off(answers[0])
    assert post(voice_event(sid, "ringing", To=line_number)).status_code == 204


def test_session_that_died_since_the_last_event_is_replaced(
    line_number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No round trip asks before each event whether the connection still works."""
    monkeypatch.setattr(deadline, "RECONNECT_WINDOW", 30)
    assert post(voice_event(new_sid(), "ringing", To=line_number)).status_code == 204
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        died = cursor.fetchone()

    def kill() -> None:
        with connection.cursor() as cursor:  # this thread's own session
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", died)
        connection.close()

    killer = threading.Thread(target=kill)
    killer.start()
    killer.join()
    assert post(voice_event(new_sid(), "ringing", To=line_number)).status_code == 204
    with all_tenants("test"):
        assert CallEvent.objects.count() == 2


def test_database_that_falls_silent_puts_events_off(line_number: str) -> None:
    """It takes the statement and never answers: a frozen machine, a network that drops packets."""
    with port_that_freezes() as (port, freeze), database_at(port):
        assert post(voice_event(new_sid(), "ringing", To=line_number)).status_code == 204
        freeze.set()
        assert_put_off(post(voice_event(new_sid(), "ringing", To=line_number)))
    assert post(voice_event(new_sid(), "ringing", To=line_number)).status_code == 204


@contextmanager
def port_that_freezes() -> Iterator[tuple[int, threading.Event]]:
    """A port that leads to the database until the event is set, and then nowhere."""
    freeze = threading.Event()
    address = connection.settings_dict["HOST"], int(connection.settings_dict["PORT"])

    def forward(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if not freeze.is_set():
                    target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, database = server.accept()[0], socket.create_connection(address)
            for ends in ((client, database), (database, client)):
                threading.Thread(target=forward, args=ends).start()

        threading.Thread(target=serve).start()
        yield server.getsockname()[1], freeze


@pytest.fixture
def line_number(committed: None) -> str:
    line: PhoneNumber = make_line()
    return line.number
