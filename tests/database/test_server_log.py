"""What callers said, and their numbers, stay out of PostgreSQL's log when statements fail."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import DatabaseError, connections
from django.test import Client
from pytest_django import Settings

from database.roles import LOGIN_SETTINGS
from local.embedded import Cluster
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.calls.call_files import import_file, twilio_call
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event
from tests.calls.test_admin_calls import form_of
from tests.factories import make_call, make_line

WORDS = "CANARYWORDS my card is 4111"
NUMBER = "+14155557777"
# Every change of a call fails, as it does when the disk is full.
PLANT = """
CREATE FUNCTION app.planted_failure() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN RAISE EXCEPTION 'planted failure' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER aa_planted BEFORE INSERT OR UPDATE ON calls
    FOR EACH ROW EXECUTE FUNCTION app.planted_failure();
CREATE TRIGGER aa_planted BEFORE INSERT OR UPDATE ON call_events
    FOR EACH ROW EXECUTE FUNCTION app.planted_failure();
"""
UPROOT = "DROP FUNCTION app.planted_failure() CASCADE"


class ServerLog:
    """What the server has logged since the last look."""

    def __init__(self, path: Path) -> None:
        self.path, self.read = path, path.stat().st_size

    def new(self) -> str:
        with self.path.open("rb") as file:
            file.seek(self.read)
            found = file.read()
        self.read += len(found)
        return found.decode(errors="replace")


@pytest.fixture
def server_log() -> ServerLog:
    directory = os.environ.get("TEST_CLUSTER")
    if not directory:
        pytest.skip("only the log of the embedded server can be read here")
    return ServerLog(Cluster(Path(directory)).data / "server.log")


@pytest.fixture
def planted(committed: None) -> Iterator[Callable[[], None]]:
    """Called, it lets every change of a call fail."""
    with ExitStack() as planted:

        def execute(sql: str) -> None:
            with connections["owner"].cursor() as cursor:
                cursor.execute(sql)

        def plant() -> None:
            execute(PLANT)
            planted.callback(execute, UPROOT)

        yield plant


def by_api(line: PhoneNumber, tmp_path: Path) -> None:
    delivered = {"transcript": WORDS, "ai_summary": f"Call {NUMBER} back"}
    api_of(line, "ingest").put(f"/calls/by-sid/{new_sid()}/", delivered)


def by_callback(line: PhoneNumber, tmp_path: Path) -> None:
    post(voice_event(new_sid(), "completed", From=NUMBER, To=line.number, CallerName=WORDS))


def by_import(line: PhoneNumber, tmp_path: Path) -> None:
    file = tmp_path / "calls.json"
    call = twilio_call(to=line.number, transcript=WORDS) | {"from": NUMBER}
    file.write_text(json.dumps({"calls": [call]}))
    with suppress(CommandError, DatabaseError):
        import_file(file)


def by_the_orm(line: PhoneNumber, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        make_call(line, transcript=WORDS, caller_number=NUMBER)


def assert_without_values(log: str) -> None:
    assert "CANARY" not in log
    assert "4111" not in log
    assert NUMBER.lstrip("+") not in log


@pytest.mark.parametrize("change", [by_api, by_callback, by_import, by_the_orm])
def test_a_failing_change_of_a_call_is_logged_without_its_values(
    planted: Callable[[], None],
    server_log: ServerLog,
    settings: Settings,
    tmp_path: Path,
    change: Callable[[PhoneNumber, Path], None],
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    line = make_line()
    planted()
    server_log.new()
    change(line, tmp_path)
    log = server_log.new()
    assert "ERROR:  planted failure" in log
    assert_without_values(log)


def test_a_failing_form_of_the_admin_is_logged_without_its_values(
    planted: Callable[[], None], server_log: ServerLog
) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.create_superuser("root"))
    call = make_call(make_line())
    form = form_of(browser, call, ai_summary=WORDS)
    planted()
    server_log.new()
    browser.post(f"/admin/calls/call/{call.pk}/change/", form)
    log = server_log.new()
    assert "ERROR:  planted failure" in log
    assert_without_values(log)


def session_of(login: str) -> "psycopg.Connection[Any]":
    at = connections["default"].settings_dict
    described = Cluster(Path(os.environ["TEST_CLUSTER"])).describe()
    assert described
    return psycopg.connect(
        host=at["HOST"],
        port=at["PORT"],
        dbname=at["NAME"],
        user=login,
        password=described["passwords"][login],
        autocommit=True,
    )


FAILING = [
    f"SELECT 1 / 0, '{WORDS}'",
    f"SELECT '{WORDS}' FROM nowhere",
    f"DO $$ BEGIN RAISE EXCEPTION 'failed' USING DETAIL = '{WORDS}', HINT = '{NUMBER}'; END $$",
    f"DO $$ BEGIN EXECUTE 'SELECT 1 / 0, ''{WORDS}'''; END $$",
    f"SELECT '{{\"said\": {WORDS}}}'::jsonb",
    f"SET statement_timeout = 1; SELECT pg_sleep(10), '{WORDS}'",
]


@pytest.mark.parametrize("login", LOGIN_SETTINGS)
@pytest.mark.parametrize("statement", FAILING)
def test_a_failing_statement_of_any_login_is_logged_without_its_text(
    committed: None, server_log: ServerLog, login: str, statement: str
) -> None:
    with session_of(login) as session, pytest.raises(psycopg.Error):
        session.execute(statement)
    log = server_log.new()
    assert "ERROR:  " in log
    assert_without_values(log)


@pytest.mark.parametrize("login", LOGIN_SETTINGS)
def test_parameters_of_a_failing_statement_are_not_logged(
    committed: None, server_log: ServerLog, login: str
) -> None:
    with session_of(login) as session, pytest.raises(psycopg.Error):
        session.execute("SELECT 1 / (length(%s) - length(%s))", [WORDS, WORDS])
    assert_without_values(server_log.new())


def test_a_deadlock_is_logged_without_its_statements(
    committed: None, server_log: ServerLog
) -> None:
    errors = []

    def lock(session: "psycopg.Connection[Any]", key: int) -> None:
        try:
            session.execute(f"SELECT pg_advisory_xact_lock({key}), '{WORDS}'")
        except psycopg.errors.DeadlockDetected as error:
            errors.append(error)
            session.rollback()

    with session_of("replytics_web") as one, session_of("replytics_api") as two:
        one.autocommit = two.autocommit = False
        lock(one, 1)
        lock(two, 2)
        crossing = Thread(target=lock, args=(two, 1))
        crossing.start()
        lock(one, 2)
        one.rollback()
        crossing.join()
    assert len(errors) == 1
    log = server_log.new()
    assert "deadlock detected" in log
    assert_without_values(log)


def test_what_a_slow_statement_says_is_not_logged(
    administrator: "psycopg.Connection[Any]", server_log: ServerLog
) -> None:
    name = connections["default"].settings_dict["NAME"]
    administrator.execute(f'ALTER DATABASE "{name}" SET log_min_duration_statement = 0')
    administrator.execute(f"ALTER DATABASE \"{name}\" SET log_statement = 'all'")
    try:
        for login in ("replytics_web", "replytics_api", "replytics_intake"):
            with session_of(login) as session:
                session.execute(f"SELECT '{WORDS}'")
        assert_without_values(server_log.new())
    finally:
        administrator.execute(f'ALTER DATABASE "{name}" RESET ALL')
