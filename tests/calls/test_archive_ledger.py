"""The ledger tells how each run ended, and nobody can change it in the admin."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from analytics.rollups import roll_up
from calls.archival import dropping, ledger
from calls.archival.ledger import heartbeat, recorded
from calls.archival.models import HEARTBEAT_TIMEOUT, ArchiveRun, RunKind, RunState
from calls.archival.moving import archive_calls
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, make_old_calls, query
from tests.factories import make_line


def test_a_run_that_fails_says_why_without_personal_data(line: PhoneNumber) -> None:
    make_old_calls(line, 1)
    query("SELECT app.create_archive_partitions('2023-06-01', '2023-06-01')")
    with (
        all_tenants("test"),
        pytest.raises(IntegrityError),
        recorded(RunKind.ARCHIVE, selection="", started_by="test"),
        transaction.atomic(),
    ):
        query("INSERT INTO calls SELECT * FROM calls")
    with all_tenants("test"):
        run = ArchiveRun.objects.get()
    assert run.state == RunState.FAILED
    assert "duplicate key value violates unique constraint" in run.error
    assert line.pk not in run.error


def test_a_silent_run_is_interrupted(line: PhoneNumber, staff_scope: None) -> None:
    long_ago = timezone.now() - HEARTBEAT_TIMEOUT - timedelta(seconds=1)
    dead = ArchiveRun(kind=RunKind.ARCHIVE, started_by="killed", heartbeat_at=long_ago)
    dead.save(force_insert=True)
    alive = ArchiveRun(kind=RunKind.RESTORE, started_by="alive", heartbeat_at=timezone.now())
    alive.save(force_insert=True)
    assert (dead.outcome, alive.outcome) == (RunState.INTERRUPTED, RunState.RUNNING)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.state, alive.state) == (RunState.INTERRUPTED, RunState.RUNNING)


def test_the_admin_shows_the_ledger_and_changes_nothing(
    line: PhoneNumber, superuser: User, client: Client
) -> None:
    make_old_calls(line, 3)
    run = archive_calls(cut_off=CUT_OFF, started_by="cron@db1")
    client.force_login(superuser)
    page: Any = client.get("/admin/calls/archiverun/")
    assert page.status_code == 200
    assert b"cron@db1" in page.content
    one = f"/admin/calls/archiverun/{run.pk}/"
    assert client.get(f"{one}change/").status_code == 200
    assert client.post(f"{one}change/", {"state": "failed"}).status_code == 403
    assert client.post(f"{one}delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/calls/archiverun/add/").status_code == 403


def test_a_run_in_one_long_step_shows_that_it_is_alive(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "HEARTBEAT_INTERVAL", 0.05)
    long_ago = timezone.now() - HEARTBEAT_TIMEOUT - timedelta(seconds=1)

    def silent() -> bool:
        return ArchiveRun.objects.stale(now=timezone.now()).exists()

    with all_tenants("test"), recorded(RunKind.DROP, selection="x", started_by="test") as run:
        ArchiveRun.objects.filter(pk=run.pk).update(heartbeat_at=long_ago)
        assert silent()
        with heartbeat(run), connection.cursor() as cursor:
            # Its own connection is busy all the time.
            cursor.execute("SELECT pg_sleep(1)")
        assert not silent()
    with all_tenants("test"):
        assert ArchiveRun.objects.get().state == RunState.DONE


def test_dropping_a_month_shows_that_it_is_alive(
    committed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ledger, "HEARTBEAT_INTERVAL", 0.05)
    make_old_calls(make_line(), 3)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    with all_tenants("test"):
        roll_up()
        months = dropping.months_before(CUT_OFF)
    seen: list[Any] = []

    def export(month: Any, path: Path) -> None:
        with all_tenants("test"), connection.cursor() as cursor:
            for _ in range(2):
                cursor.execute("SELECT pg_sleep(0.3)")
                cursor.execute("SELECT max(heartbeat_at) FROM archive_runs WHERE kind = 'drop'")
                seen.append(cursor.fetchone())
        real_export(month, path)

    real_export = dropping._export
    monkeypatch.setattr(dropping, "_export", export)
    dropping.drop_month(months[0], directory=tmp_path, started_by="test")
    assert seen[0] < seen[1]
