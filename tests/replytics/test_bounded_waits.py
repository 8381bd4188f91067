"""No request waits without end, and the process says that it lives while all of them wait."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import requests
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.test import Client

from tenants.admin import PhoneNumberAdmin
from tenants.api.line import PhoneNumberView
from tests import pooler
from tests.api_client import Api, api_of, make_key
from tests.behind_nginx import flood, url_of
from tests.factories import make_line
from tests.gunicorn import AS_IN_PRODUCTION, Server, gunicorn
from tests.outages import locked
from tests.replytics.test_services import waiting_sessions
from tests.tenants.test_api_published_keys import until

TIMEOUT = 60  # seconds; guards against a hang. A pooler would let a client wait for 120.
TIMEOUTS = (
    "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
    " current_setting('idle_in_transaction_session_timeout')"
)


def get(server: Server, path: str, **headers: str) -> requests.Response:
    return requests.get(server.url + path, headers=headers, timeout=TIMEOUT)


@contextmanager
def behind_pooler(*, pool_size: int) -> Iterator[tuple[str, Server]]:
    """The URL of a pooler with so many server connections, and a server that goes through it."""
    if pooler.PROGRAM is None:
        pytest.skip("pgbouncer is not installed")
    at = connections["default"].settings_dict
    with pooler.pgbouncer(at, pool_size=pool_size) as port:
        url = f"postgres://{at['USER']}:{quote(at['PASSWORD'])}@127.0.0.1:{port}/{at['NAME']}"
        with gunicorn(*AS_IN_PRODUCTION, workers=1, DATABASE_URL=url) as server:
            yield url, server


@pytest.mark.soak
@pytest.mark.usefixtures("committed")
def test_exhausted_pooler_is_a_503_for_the_api() -> None:
    key = f"Api-Key {make_key(make_line())}"
    path = "/api/v1/phone-number/"
    with behind_pooler(pool_size=2) as (url, server):
        assert get(server, path, Authorization=key).status_code == 200
        with psycopg.connect(url) as one, psycopg.connect(url) as two:
            for idle in (one, two):
                idle.execute("SELECT 1")  # in a transaction, which keeps its connection
            for _ in range(2):
                refused = get(server, path, Authorization=key)
                assert refused.status_code == 503
                assert refused.headers["Content-Type"] == "application/problem+json"
                assert int(refused.headers["Retry-After"]) > 0
            assert get(server, "/health/live").status_code == 200
            assert get(server, "/health/ready").status_code == 503
        assert get(server, path, Authorization=key).status_code == 200


@pytest.mark.soak
@pytest.mark.usefixtures("committed")
def test_waits_of_one_request_add_up_to_a_503() -> None:
    """Each of its statements gets the only connection in time, after somebody else's."""
    key = f"Api-Key {make_key(make_line())}"
    path = "/api/v1/stats/daily/?first=2026-03-01&last=2026-03-02"
    done = threading.Event()

    def occupy(url: str) -> None:
        with psycopg.connect(url, autocommit=True) as other:
            while not done.is_set():
                other.execute("SELECT pg_sleep(1.6)")

    with behind_pooler(pool_size=1) as (url, server):
        assert get(server, path, Authorization=key).status_code == 200
        occupied = threading.Thread(target=occupy, args=[url])
        occupied.start()
        try:
            until(lambda: sleeping_sessions() == 1)
            # The first may still have the credentials and a lease of the one before.
            get(server, path, Authorization=key)
            assert get(server, path, Authorization=key).status_code == 503
        finally:
            done.set()
            occupied.join()
        assert get(server, path, Authorization=key).status_code == 200


def sleeping_sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        [count] = cursor.fetchone()
    return int(count)


@pytest.mark.soak
@pytest.mark.parametrize("path", ["/api/v1/calls/", "/admin/login/"])
@pytest.mark.usefixtures("committed")
def test_process_is_alive_while_all_its_threads_wait(path: str) -> None:
    """Neither a shared thread nor the database is asked."""
    key, token = f"Api-Key {make_key(make_line())}", "t" * 32
    form = {"username": "root", "password": "wrong", "csrfmiddlewaretoken": token}
    statuses: Counter[int] = Counter()

    def send() -> None:
        if path == "/admin/login/":
            cookies = {"csrftoken": token}
            answer = requests.post(server.url + path, form, cookies=cookies, timeout=TIMEOUT)
        else:
            answer = get(server, path, Authorization=key)
        statuses[answer.status_code] += 1

    table = {"/api/v1/calls/": "calls", "/admin/login/": "auth_user"}[path]
    unlimited = {"API_REQUESTS_PER_KEY": "1000000", "API_REQUESTS_PER_LINE": "1000000"}
    with (
        gunicorn(*AS_IN_PRODUCTION, workers=1, **unlimited) as server,
        locked(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
        flood(24, send),
    ):
        until(lambda: waiting_sessions(table) >= 4)
        for _ in range(50):  # some twenty wait for a thread, and it does not wait behind them
            before = sum(statuses.values())
            assert get(server, "/health/live").status_code == 200
            assert sum(statuses.values()) - before < 12
        until(lambda: statuses[503] > 0)
    assert statuses[503] == sum(statuses.values())


@pytest.mark.usefixtures("committed")
def test_clients_that_send_nothing_keep_no_thread() -> None:
    key = f"Api-Key {make_key(make_line())}"
    with gunicorn(*AS_IN_PRODUCTION, workers=1) as server:
        port = int(server.url.rpartition(":")[2])
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(24)]
        assert get(server, "/health/live").status_code == 200
        assert get(server, "/api/v1/phone-number/", Authorization=key).status_code == 200
        for one in silent:
            one.close()


def test_liveness_asks_no_database() -> None:
    """No fixture of this test opens it: a query would be an error."""
    assert Client().get("/health/live").json() == {"status": "ok"}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The timeouts that a page and an endpoint run under."""
    found: list[tuple[str, ...]] = []

    def look(*args: object, **options: object) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(TIMEOUTS)
            found.append(cursor.fetchone())
        raise PermissionDenied

    monkeypatch.setattr(PhoneNumberView, "find", look)
    monkeypatch.setattr(PhoneNumberAdmin, "get_changelist_instance", look)
    return found


@pytest.mark.usefixtures("committed")
def test_requests_have_timeouts(seen: list[tuple[str, ...]]) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.create_superuser("root"))
    api: Api = api_of(make_line())
    browser.get("/admin/tenants/phonenumber/")
    api.get("/phone-number/")
    [page, endpoint] = seen
    assert page[:2] == ("1min", "1700ms")
    assert endpoint[1] == "1700ms"


@pytest.mark.usefixtures("committed")
def test_each_statement_gets_what_is_left_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    found: list[str] = []

    def look(*args: object, **options: object) -> Any:
        nonlocal now
        for passed in (0, 0.5, 0.75, 5):
            now += passed
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('statement_timeout')")
                found.append(*cursor.fetchone())
        raise PermissionDenied

    monkeypatch.setattr("database.statement_context.monotonic", lambda: now)
    monkeypatch.setattr(PhoneNumberView, "find", look)
    api_of(make_line()).get("/phone-number/")
    assert found == ["2s", "1500ms", "800ms", "100ms"]


@pytest.mark.parametrize(
    ("login", "statement", "idle"),
    [
        ("replytics_web", "2h", "15min"),
        ("replytics_api", "10s", "10s"),
        ("replytics_intake", "5s", "5s"),
    ],
)
@pytest.mark.usefixtures("committed")
def test_whatever_sends_no_timeouts_has_those_of_its_login(
    login: str, statement: str, idle: str
) -> None:
    with psycopg.connect(url_of(login)) as session:
        row = session.execute(TIMEOUTS).fetchone()
    assert row == (statement, "0", idle)
