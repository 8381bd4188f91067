"""The 30-day summary follows imports and the archive, and counts archived calls."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from analytics.models import PhonePerformance
from analytics.queries import total
from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
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


def test_an_import_is_in_the_summary(committed: None, tmp_path: Path) -> None:
    line = make_line()
    began = timezone.now() - timedelta(days=2)
    file = tmp_path / "calls.jsonl"
    rows = [
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
    file.write_text("\n".join(map(json.dumps, rows)))
    call_command("import_calls", str(file), "--rejects", str(tmp_path / "rejects.csv"))
    assert numbers(line)["total_calls"] == of_calls(line) == 3


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
