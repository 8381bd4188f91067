"""Whatever befalls the database, requests end as 503 or well, and all is well again after it."""

import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client

from local.embedded import OWNER_LOGIN, ROOT, Cluster
from monitoring import request_metrics as measured
from tests.api_client import Api, make_key
from tests.factories import make_line
from tests.gunicorn import AS_IN_PRODUCTION, Server, gunicorn
from tests.outages import database_at, locked

END_SESSIONS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE usename = 'replytics_web' AND pid <> pg_backend_pid() AND datname = current_database()
"""
# Waits up to ten seconds for the end of each.
END_IDLE_SESSIONS = END_SESSIONS.replace("(pid)", "(pid, 10000)") + "AND state = 'idle'"


def assert_busy(response: Any) -> None:
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["status"] == 503


@pytest.fixture
def key(committed: None) -> str:
    return make_key(make_line())


def get(server: Server, key: str, path: str = "/api/v1/phone-number/") -> requests.Response:
    headers = {"Authorization": f"Api-Key {key}"}
    return requests.get(server.url + path, headers=headers, timeout=30)


@pytest.mark.parametrize("table", ["phone_numbers", "api_keys"])
def test_locked_table_is_503(key: str, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one is read before there is any scope."""
    monkeypatch.setattr(measured, "LOCK_TIMEOUT", 300)
    api = Api(f"Api-Key {key}")
    with locked(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"):
        assert_busy(api.get("/phone-number/"))  # while the lock is held
    assert api.get("/phone-number/").status_code == 200


@pytest.mark.usefixtures("committed")
def test_page_of_the_admin_is_503_for_a_browser() -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.create_superuser("root"))
    with database_at(1):
        page = browser.get("/admin/", headers={"Accept": "text/html"})
        assert (page.status_code, page["Retry-After"]) == (503, "5")
        assert "Try again" in page.text
        assert_busy(browser.get("/admin/", headers={"Accept": "application/json"}))
    assert browser.get("/admin/").status_code == 200


@pytest.mark.rounds(2, soak=10)
def test_sessions_ended_between_requests_are_not_noticed(
    key: str, administrator: "psycopg.Connection[Any]", rounds: int
) -> None:
    with gunicorn(*AS_IN_PRODUCTION, workers=1) as server:
        ended = 0
        for _ in range(rounds):
            assert {get(server, key).status_code for _ in range(5)} == {200}
            row = administrator.execute(END_IDLE_SESSIONS).fetchone()
            assert row
            ended += row[0]
        assert get(server, key).status_code == 200
    assert ended >= rounds


@pytest.mark.rounds(50, soak=1_000)
def test_sessions_ended_within_requests_are_503(
    key: str, administrator: "psycopg.Connection[Any]", rounds: int
) -> None:
    """Kills at any moment; never an answer that says that the program is wrong."""
    done = threading.Event()
    seen: Counter[int] = Counter()

    def ask(server: Server) -> None:
        while not done.is_set():
            answer = get(server, key)
            seen[answer.status_code] += 1
            if answer.status_code == 503:
                assert_busy(answer)

    unlimited = {"API_REQUESTS_PER_KEY": "1000000", "API_REQUESTS_PER_LINE": "1000000"}
    with gunicorn(*AS_IN_PRODUCTION, workers=1, **unlimited) as server:
        threads = [threading.Thread(target=ask, args=(server,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        killed = 0
        while killed < rounds and any(thread.is_alive() for thread in threads):
            row = administrator.execute(END_SESSIONS).fetchone()
            assert row
            killed += row[0]
        done.set()
        for thread in threads:
            thread.join()
        assert set(seen) <= {200, 503}
        assert 503 in seen or rounds < 1_000
        assert killed >= rounds
        assert get(server, key).status_code == 200


@contextmanager
def no_connections_left(administrator: "psycopg.Connection[Any]") -> Iterator[None]:
    # In this database alone: tests beside this one have theirs on the same server.
    database = psycopg.sql.Identifier(administrator.info.dbname)
    limit = psycopg.sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format
    administrator.execute(limit(database, 0))
    try:
        yield
    finally:
        administrator.execute(limit(database, -1))


def test_too_many_connections_are_503(key: str, administrator: "psycopg.Connection[Any]") -> None:
    with gunicorn(*AS_IN_PRODUCTION, workers=1, CONN_MAX_AGE="0") as server:
        assert get(server, key).status_code == 200
        with no_connections_left(administrator):
            assert_busy(get(server, key))
            assert get(server, key, "/health/ready").status_code == 503
            assert get(server, key, "/health/live").status_code == 200
            assert get(server, key, "/admin/login/").status_code == 200  # needs no database
        assert get(server, key).status_code == 200
        wait_until_ready(server, key)


def wait_until_ready(server: Server, key: str) -> None:
    """A probe gives up after seconds, which its first answer may take on a slow machine."""
    for _ in range(20):
        if get(server, key, "/health/ready").status_code == 200:
            return
    raise AssertionError("it never was ready")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server of its own with the tables and a line, to be stopped."""
    # Not tmp_path: that is closed to the user whom root runs PostgreSQL as.
    with tempfile.TemporaryDirectory(prefix="restarted-") as name:
        cluster = Cluster(Path(name).resolve() / "pg", durable=False)
        cluster.start()
        try:
            manage(cluster, "migrate", "--verbosity=0")
            yield cluster
        finally:
            cluster.stop()


def manage(cluster: Cluster, *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    environment = os.environ | cluster.environment()
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def own_key(cluster: Cluster) -> str:
    url = cluster.url(OWNER_LOGIN)
    assert url
    with psycopg.connect(url) as owner:
        owner.execute("SET ROLE replytics_staff")
        owner.execute(
            "INSERT INTO phone_numbers (id, number, business_name)"
            " VALUES ('pn_1', '+14155550101', 'Bakery')"
        )
    made = manage(cluster, "create_api_key", "+14155550101", "--name=test", "--scope=read")
    return made.split()[-1]


@pytest.mark.soak
@pytest.mark.usefixtures("django_db_setup")
def test_restarts_and_a_frozen_server_are_503_until_they_are_over(
    cluster: Cluster, own_key: str
) -> None:
    """The web server is never started again."""
    with gunicorn(*AS_IN_PRODUCTION, workers=1, **cluster.environment()) as server:
        for _ in range(2):
            assert get(server, own_key).status_code == 200
            wait_until_ready(server, own_key)
            cluster.stop()
            assert_busy(get(server, own_key))
            assert get(server, own_key, "/health/ready").status_code == 503
            assert get(server, own_key, "/health/live").status_code == 200
            cluster.start()
        with frozen(cluster):
            assert get(server, own_key, "/health/ready").status_code == 503
            assert get(server, own_key, "/health/live").status_code == 200
        assert get(server, own_key).status_code == 200
        wait_until_ready(server, own_key)


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    """Processes that accept what is sent and answer nothing."""
    postmaster = psutil.Process(int((cluster.data / "postmaster.pid").read_text().split()[0]))
    postmaster.suspend()  # first: what ends from now on stays there to be told
    processes = [postmaster, *postmaster.children()]
    try:
        for process in processes[1:]:
            process.suspend()
        yield
    finally:
        for process in reversed(processes):  # the postmaster last, too
            process.resume()


@pytest.mark.soak
@pytest.mark.usefixtures("django_db_setup")
def test_hot_standby_is_not_ready(cluster: Cluster) -> None:
    """It answers every query, and takes no call."""
    cluster.stop()
    (cluster.data / "standby.signal").touch()
    cluster._start_server((cluster.describe() or {})["port"])  # start() would make its roles
    with gunicorn(*AS_IN_PRODUCTION, workers=1, **cluster.environment()) as server:
        answer = get(server, "", "/health/ready")
        assert answer.status_code == 503
        assert answer.json()["status"] == "the server is a standby; connect to the primary"
