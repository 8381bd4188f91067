"""Calls there and back again: every byte of every column as it was."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics.rollups import roll_up
from calls.archival.dropping import drop_month, months_before
from calls.archival.loading import load_file
from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, counts, make_old_calls, query
from tests.factories import make_line

LIVE = """
SELECT count(*), md5(string_agg(c::text || coalesce(m::text, '-'), '' ORDER BY id))
FROM calls c LEFT JOIN call_metadata m ON m.call_id = c.id
"""
ARCHIVE = "SELECT count(*), md5(string_agg(a::text, '' ORDER BY id)) FROM calls_archive a"

# Thousands of calls.
pytestmark = pytest.mark.rounds(1, soak=20)


@pytest.fixture
def old_calls(committed: None, rounds: int) -> PhoneNumber:
    """Two months of calls."""
    line = make_line()
    make_old_calls(line, 1_000 * rounds, every=f"{5_000 // rounds} s")
    return line


def test_archived_and_restored(old_calls: PhoneNumber, rounds: int) -> None:
    calls = 1_000 * rounds
    before = query(LIVE)
    archived = archive_calls(cut_off=CUT_OFF, workers=2, started_by="test")
    assert (counts()["calls"], counts()["calls_archive"]) == (0, calls)
    period = Choice(phone_id=old_calls.pk, since=datetime(2023, 1, 1, tzinfo=UTC), until=CUT_OFF)
    restored = restore_calls(period, started_by="test")
    assert query(LIVE) == before
    assert before[0][0] == restored.calls == calls
    assert restored.checksum == archived.checksum
    assert counts()["calls_archive"] == counts()["app.archived_call_sids"] == 0


def test_dropped_and_loaded(old_calls: PhoneNumber, tmp_path: Path, rounds: int) -> None:
    calls = 1_000 * rounds
    archive_calls(cut_off=CUT_OFF, workers=2, started_by="test")
    before = query(ARCHIVE)
    with all_tenants("test"):
        roll_up()
        months = months_before(CUT_OFF)
    for month in months:
        drop_month(month, directory=tmp_path, started_by="test")
    assert counts()["calls_archive"] == counts()["app.archived_call_sids"] == 0
    loaded = [
        load_file(tmp_path / month.file_name(), started_by="test").run.calls for month in months
    ]
    assert sum(loaded) == calls
    assert query(ARCHIVE) == before
    assert counts()["app.archived_call_sids"] == calls
