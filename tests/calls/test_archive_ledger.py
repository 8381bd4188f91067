"""The ledger tells how each run ended, and nobody can change it in the admin."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from calls.archival.ledger import recorded
from calls.archival.models import HEARTBEAT_TIMEOUT, ArchiveRun, RunKind, RunState
from calls.archival.moving import archive_calls
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, make_old_calls, query


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
