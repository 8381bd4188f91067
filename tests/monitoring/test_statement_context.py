"""Who runs a statement is seen in its session, for as long as it runs."""

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from pytest_django import Settings

from database.statement_context import statement_context
from local.embedded import ROOT
from monitoring.findings import Finding
from monitoring.tasks import forget_snapshots
from tenancy import all_tenants, no_tenant, tenant
from tests.api_client import api_of
from tests.factories import make_call, make_line
from tests.outages import locked
from tests.worker import work

SETTINGS = "SELECT current_setting('application_name'), current_setting('lock_timeout')"
WAITS = """
SELECT application_name FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
pytestmark = pytest.mark.usefixtures("committed")


def carried() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
        row: tuple[str, str] = cursor.fetchone()
        return row


@pytest.mark.parametrize("scope", [no_tenant, lambda: tenant("pn_1"), lambda: all_tenants("t")])
def test_work_is_named_and_nothing_is_left(scope: Callable[[], Any]) -> None:
    with scope():
        before = carried()
        with statement_context("GET /calls/<uuid:id>/", lock_timeout=1234):
            assert carried() == ("GET /calls/<uuid:id>/", "1234ms")
            with statement_context("job a.b"):
                assert carried() == ("job a.b", "0")
        assert carried() == before


def test_work_cannot_end_its_literal_or_hold_parameters() -> None:
    with statement_context("a'b\\c%s;é" + "x" * 100), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('application_name'), %s", ["kept"])
        name, kept = cursor.fetchone()
    assert (name, kept) == ("a_b_c_s__" + "x" * 54, "kept")


def test_work_leaves_the_patience_of_a_transaction() -> None:
    """The archiver waits for half a second, wherever it was begun."""
    with statement_context("POST /admin/", lock_timeout=5000), transaction.atomic():
        assert carried()[1] == "5s"
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 500")
        assert carried()[1] == "500ms"


def test_request_that_waits_is_named_by_its_pattern(
    finding: Callable[[str], Finding],
    administrator: "psycopg.Connection[Any]",
    settings: Settings,
) -> None:
    settings.MONITORING_THRESHOLDS = {"long_statements": (0.0, None)}
    line = make_line(id="pn_bakery")
    call = make_call(line)
    api = api_of(line)

    def ask() -> None:
        api.get(f"/calls/{call.pk}/")
        connection.close()

    asker = threading.Thread(target=ask)
    with locked("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE"):
        asker.start()
        while (row := administrator.execute(WAITS).fetchone()) is None:
            assert asker.is_alive()
        [item] = finding("long_statements").items
    asker.join()
    assert row == ("GET /api/v1/calls/<uuid:call_id>/",)
    assert "GET /api/v1/calls/<uuid:call_id>/" in item.text
    assert str(call.pk) not in item.text
    assert "line pn_bakery" in item.text


def test_command_is_named_for_its_sessions() -> None:
    shell = ["shell", "-v0", "-c", f"from django.db import connection as c\nu = c.cursor()\n"
             f"u.execute({SETTINGS!r})\nprint(u.fetchone()[0])"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", *shell], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "manage.py shell"


def test_job_is_named_for_its_task(administrator: "psycopg.Connection[Any]") -> None:
    forget_snapshots.defer()
    worker = threading.Thread(target=work)
    with locked("LOCK TABLE server_snapshots IN ACCESS EXCLUSIVE MODE"):
        worker.start()
        named = ("job monitoring.tasks.forget_snapshots",)
        while named not in administrator.execute(WAITS).fetchall():
            assert worker.is_alive()
    worker.join()
