"""Probes: what they say, that they answer in time, and that they recover by themselves."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from monitoring.report import examine, save_report
from replytics import health
from replytics.settings import LIBPQ
from tests.outages import database_at, locked

pytestmark = pytest.mark.usefixtures("committed")


PROBE_TIMEOUT = health.PROBE_TIMEOUT


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "BACKLOG_EVERY", timedelta(0))
    monkeypatch.setattr(
        health, "PROBE_TIMEOUT", 30
    )  # on a slow machine too it is the rest that tells


def ready() -> Any:
    return Client().get("/health/ready")


def assert_unready(response: Any, status: str) -> None:
    assert response.status_code == 503
    assert response.json()["status"] == status
    assert int(response["Retry-After"]) > 0
    assert Client().get("/health/live").status_code == 200


def test_ready_tells_of_the_backlog() -> None:
    assert ready().json() == {"status": "ok", "backlog": "unknown"}
    save_report(examine())
    assert ready().json() == {"status": "ok", "backlog": "warning"}  # no worker runs
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE database_reports SET taken_at = now() - interval '16 minutes'")
    assert ready().json()["backlog"] == "unknown"


@contextmanager
def without_migration(app: str) -> Iterator[None]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = %s RETURNING app, name, applied", [app]
        )
        gone = cursor.fetchall()
        try:
            yield
        finally:
            insert = "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)"
            cursor.executemany(insert, gone)


def test_missing_migration_is_not_ready() -> None:
    with without_migration("sessions"):
        assert_unready(ready(), "1 migrations are missing; run manage.py migrate")
    assert ready().status_code == 200


def test_newer_migration_than_the_code_is_ready() -> None:
    """The previous release goes on serving while the next one migrates."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations VALUES (0, 'calls', '9999_next', now())")
        try:
            assert ready().status_code == 200
        finally:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_next'")


def test_stopped_database_is_not_ready() -> None:
    with database_at(1):
        assert_unready(ready(), "database unreachable")
    assert ready().status_code == 200


def test_silent_database_is_not_ready() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with database_at(silent.getsockname()[1]):
            assert_unready(ready(), "database unreachable")
    assert ready().status_code == 200


@pytest.mark.xdist_group("monitoring")  # where a test takes the right to see sessions away
def test_database_that_never_answers_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe gives up while the server still keeps it waiting."""
    with (
        monkeypatch.context() as as_it_is,
        locked("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE"),
    ):
        as_it_is.setattr(health, "PROBE_TIMEOUT", PROBE_TIMEOUT)
        assert_unready(ready(), "database does not answer")
        assert_unready(ready(), "database does not answer")
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE query LIKE '%FROM django_migrations' AND wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
            assert cursor.fetchone() == (1,)  # however many ask
    assert ready().status_code == 200
    assert LIBPQ["connect_timeout"] + 0.5 <= PROBE_TIMEOUT < 3
