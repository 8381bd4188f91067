"""Probes: what they say, that they answer in time, and that they recover by themselves."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from django.test import Client

from database.checks import check_databases
from local.embedded import SYSTEM_USER
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


def test_read_only_server_is_not_ready() -> None:
    """As one that was demoted is, and one whose owner said so."""
    with connections["owner"].cursor() as cursor:
        name = connections["owner"].settings_dict["NAME"]
        cursor.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        try:
            assert_unready(ready(), "the server is read-only")
        finally:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    assert ready().status_code == 200


@pytest.mark.parametrize("table", ["call_reviews", "calls", "daily_call_stats"])
def test_missing_table_is_neither_ready_nor_checked(table: str) -> None:
    said = f"1 tables are missing ({table}); run manage.py migrate"
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO gone")
        try:
            assert_unready(ready(), said)
            [problem] = check_databases(databases=["default"])
            assert (problem.id, said in problem.msg) == ("database.E002", True)
        finally:
            cursor.execute(f"ALTER TABLE gone RENAME TO {table}")
    assert ready().status_code == 200
    assert check_databases(databases=["default", "owner"]) == []


def test_check_fails_without_a_server() -> None:
    with database_at(1):
        [problem] = check_databases(databases=["default"])
        assert problem.id == "database.E001"
        with pytest.raises(SystemCheckError, match="does not answer"):
            call_command("check", databases=["default"])
        call_command("check")  # which asks no server


@pytest.fixture
def full_disk(administrator: "psycopg.Connection[Any]") -> Iterator[None]:
    """Temporary files of the test database go to a disk of 64 kB."""
    with tempfile.TemporaryDirectory(prefix="full-") as folder:
        Path(folder).chmod(0o755)
        mounted = subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True
        )
        if mounted.returncode != 0:
            pytest.skip("only root may mount a disk")
        name = psycopg.sql.Identifier(administrator.info.dbname)
        try:
            shutil.chown(folder, SYSTEM_USER, SYSTEM_USER)
            administrator.execute(
                psycopg.sql.SQL("CREATE TABLESPACE full_disk LOCATION {}").format(folder)
            )
            administrator.execute("GRANT CREATE ON TABLESPACE full_disk TO PUBLIC")
            set_to = psycopg.sql.SQL("ALTER DATABASE {} SET temp_tablespaces = full_disk")
            administrator.execute(set_to.format(name))
            yield
        finally:
            reset = psycopg.sql.SQL("ALTER DATABASE {} RESET temp_tablespaces")
            administrator.execute(reset.format(name))
            administrator.execute("DROP TABLESPACE IF EXISTS full_disk")
            subprocess.run(["/bin/umount", folder], check=True)


def test_full_disk_is_not_ready(full_disk: None) -> None:
    assert_unready(ready(), "the server's disk is full")
