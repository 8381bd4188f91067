"""The 30-day summary follows imports and the archive, and counts archived calls."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from analytics.models import PhonePerformance
from analytics.queries import total
from calls.archival.ledger import recorded
from calls.archival.models import ArchiveRun, RunKind
from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from calls.intake.imports import chunks
from calls.intake.imports.file_legs import LegCounts
from calls.intake.imports.formats import Source
from calls.intake.imports.importing import Counts, import_calls
from calls.intake.imports.reconciling import reconcile_calls
from calls.intake.imports.rejects import RejectsFile
from calls.intake.imports.streams import UnreadableFile
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.factories import make_call, make_line


def numbers(line: PhoneNumber) -> dict[str, Any]:
    """Of the summary as it is, without a refresh."""
    with all_tenants("test"):
        return dict(PhonePerformance.objects.filter(pk=line.pk).values().first() or {})


def of_calls(line: PhoneNumber) -> int:
    now = timezone.now()
    with tenant(line.pk):
        return total(since=now - timedelta(days=30), until=now).total_calls


def rows(line: PhoneNumber) -> list[dict[str, Any]]:
    began = timezone.now() - timedelta(days=2)
    return [
        {
            "call_sid": f"CA{n:032x}",
            "phone_id": line.pk,
            "caller_number": "+14155550199",
            "status": "completed",
            "duration": 60,
            "created_at": began.isoformat(),
        }
        for n in range(3)
    ]


@pytest.fixture
def file(committed: None, tmp_path: Path) -> Path:
    """Three calls of a new line."""
    file = tmp_path / "calls.jsonl"
    file.write_text("\n".join(map(json.dumps, rows(make_line()))))
    return file


@pytest.mark.parametrize("command", ["import_calls", "reconcile_calls"])
def test_calls_of_a_file_are_in_the_summary(file: Path, command: str) -> None:
    call_command(command, str(file))
    with all_tenants("test"):
        line = PhoneNumber.objects.get()
    assert numbers(line)["total_calls"] == of_calls(line) == 3


def test_a_refresh_that_began_before_an_import_is_followed_by_another(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = connections["owner"]
    owner.set_autocommit(False)
    try:
        with owner.cursor() as cursor:  # as a refresh that is running
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext('app.refresh_phone_performance_summary'))"
            )
        monkeypatch.setattr("analytics.summary.sleep", lambda seconds: owner.rollback())
        call_command("import_calls", str(file))
    finally:
        owner.rollback()
        owner.set_autocommit(True)
    with all_tenants("test"):
        line = PhoneNumber.objects.get()
    assert numbers(line)["total_calls"] == of_calls(line) == 3


def broken_off(line: PhoneNumber, *, after: int) -> Source:
    def records() -> Iterator[tuple[int, Any]]:
        yield from enumerate(rows(line)[:after], start=1)
        raise UnreadableFile("broken off")

    return Source("test", "jsonl", records(), size=None, position=lambda: 0)


def test_what_a_reconciliation_filled_in_before_it_ended_is_in_the_summary(
    committed: None, tmp_path: Path
) -> None:
    line = make_line()
    with RejectsFile(tmp_path / "rejects.csv") as rejects, pytest.raises(UnreadableFile):
        reconcile_calls(broken_off(line, after=2), rejects, now=timezone.now(), legs=LegCounts())
    assert numbers(line)["total_calls"] == of_calls(line) == 2


def test_what_an_import_committed_before_it_ended_is_in_the_summary(
    committed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    line = make_line()
    counts = Counts()
    with RejectsFile(tmp_path / "rejects.csv") as rejects, pytest.raises(UnreadableFile):
        import_calls(source=broken_off(line, after=2), rejects=rejects, counts=counts)
    assert numbers(line)["total_calls"] == of_calls(line) == counts.loaded > 0


def test_what_a_failed_restore_brought_back_is_in_the_summary(committed: None) -> None:
    line = make_line()

    def fail() -> None:
        with recorded(RunKind.LOAD, selection="", started_by="test") as run:
            make_call(line)
            ArchiveRun.objects.filter(pk=run.pk).update(calls=1)
            raise ValueError("planted")

    with all_tenants("test"), pytest.raises(ValueError, match="planted"):
        fail()
    assert numbers(line)["total_calls"] == of_calls(line) == 1


@pytest.mark.parametrize("step", ["archived", "restored"])
def test_archived_calls_are_in_the_summary(committed: None, step: str) -> None:
    line = make_line()
    for days in (1, 10, 20, 40):
        make_call(line, created_at=timezone.now() - timedelta(days=days))
    archive_calls(cut_off=timezone.now() - timedelta(days=5), started_by="test")
    if step == "restored":
        with all_tenants("test"):
            now = timezone.now()
            choice = Choice(phone_id=line.pk, since=now - timedelta(days=60), until=now)
            restore_calls(choice, started_by="test")
    found = numbers(line)
    assert found["total_calls"] == of_calls(line) == 3
    assert found["unique_callers"] == 1
