"""drop_archive and load_archive: a month leaves as a verified file and comes back the same."""

import gzip
from contextlib import ExitStack
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from calls.archival.dropping import months_before
from calls.archival.files import BadFile
from calls.archival.loading import load_file
from calls.archival.moving import archive_calls
from calls.models import CallArchive
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.archive import (
    CUT_OFF,
    UNBOUNDED,
    counts,
    drop_june,
    everything,
    held,
    make_old_calls,
    query,
)
from tests.factories import hold, make_call, make_line, release_holds

ARCHIVE = "SELECT md5(string_agg(a::text, '' ORDER BY id)) FROM calls_archive a"


@pytest.fixture
def two_months(line: PhoneNumber) -> None:
    """1778 calls of June 2023 and 222 of July, archived."""
    make_old_calls(line, 2_000)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    query(UNBOUNDED)


def test_a_month_leaves_and_comes_back_the_same(two_months: None, tmp_path: Path) -> None:
    before, archive = everything(), query(ARCHIVE)
    dropped, _ = drop_june(tmp_path)
    assert dropped.calls == 1778
    assert counts()["calls_archive"] == counts()["app.archived_call_sids"] == 222
    assert query("SELECT to_regclass('calls_archive_2023_06')") == [(None,)]
    loaded = load_file(tmp_path / "calls_archive_2023_06.csv.gz", started_by="test")
    assert (loaded.run.calls, loaded.already_archived, loaded.of_deleted_lines) == (1778, 0, 0)
    assert loaded.run.checksum == dropped.checksum
    assert (everything(), query(ARCHIVE)) == (before, archive)
    assert counts()["app.archived_call_sids"] == 2_000


def test_loading_again_changes_nothing(two_months: None, tmp_path: Path) -> None:
    drop_june(tmp_path)
    path = tmp_path / "calls_archive_2023_06.csv.gz"
    load_file(path, started_by="test")
    before = query(ARCHIVE)
    again = load_file(path, started_by="test")
    assert (again.run.calls, again.already_archived) == (0, 1778)
    assert query(ARCHIVE) == before


def test_only_whole_months_before_the_cut_off_are_dropped(two_months: None) -> None:
    with all_tenants("test"):
        assert [
            month.file_name() for month in months_before(datetime(2023, 8, 1, tzinfo=UTC))
        ] == [
            "calls_archive_2023_06.csv.gz",
            "calls_archive_2023_07.csv.gz",
        ]
        assert months_before(datetime(2023, 6, 30, 23, 59, tzinfo=UTC)) == []


@pytest.mark.parametrize("unused", ["nestloop", "hashjoin, mergejoin", "indexscan, bitmapscan"])
def test_the_months_are_found_by_any_plan(two_months: None, unused: str) -> None:
    for plan in unused.split(", "):
        query(f"SET LOCAL enable_{plan} = off")
    with all_tenants("test"):
        found = months_before(CUT_OFF)
    assert [f"{month.first:%Y-%m}" for month in found] == ["2023-06", "2023-07"]


def test_a_month_without_calls_is_left_alone(two_months: None, tmp_path: Path) -> None:
    query("SELECT app.create_archive_partitions('2019-01-01', '2019-12-01')")
    drop_june(tmp_path)
    assert query("SELECT to_regclass('calls_archive_2019_05') IS NULL") == [(False,)]
    assert [path.name for path in tmp_path.glob("*.gz")] == ["calls_archive_2023_06.csv.gz"]


def test_a_month_that_others_use_is_dropped_once_they_end(
    committed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old_calls(make_line(), 50)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    pauses = []
    with ExitStack() as vacuum:
        vacuum.enter_context(
            held("LOCK TABLE calls_archive_2023_06 IN SHARE UPDATE EXCLUSIVE MODE")
        )

        def pause(seconds: float) -> None:
            pauses.append(counts()["calls_archive"])
            vacuum.close()

        monkeypatch.setattr("calls.archival.month_locks.time.sleep", pause)
        dropped, _ = drop_june(tmp_path)
    assert (dropped.calls, dropped.batches, pauses) == (50, 1, [50])
    assert counts()["calls_archive"] == counts()["app.archived_call_sids"] == 0


def hold_the_first_of(month: str) -> None:
    with all_tenants("test"):
        hold(CallArchive.objects.filter(created_at__gte=month).order_by("created_at")[0])


def test_a_legal_hold_keeps_its_month_and_no_other(two_months: None, tmp_path: Path) -> None:
    query(UNBOUNDED)
    call_command("roll_up_calls", stdout=StringIO())
    hold_the_first_of("2023-06-01T00:00Z")
    output = StringIO()
    drop = ["drop_archive", "--older-than=1 year", f"--directory={tmp_path}"]
    call_command(*drop, stdout=output)
    assert "Kept 2023-06: 1 of its calls are under legal hold." in output.getvalue()
    assert "Dropped 2023-07: 222 calls" in output.getvalue()
    assert counts()["calls_archive"] == 1_778
    release_holds()
    call_command(*drop, stdout=output)
    assert counts()["calls_archive"] == 0


def test_the_database_refuses_a_held_month_by_itself(two_months: None) -> None:
    hold_the_first_of("2023-06-01T00:00Z")
    with pytest.raises(Exception, match="under legal hold"):
        query("SELECT app.drop_archive_partition('2023-06-01', 1778, 0)")


def test_the_database_refuses_a_month_that_changed_since_the_export(two_months: None) -> None:
    drop = "SELECT app.drop_archive_partition('2023-06-01', 1778, 12345)"
    with pytest.raises(Exception, match="does not hold what the file holds"):
        query(drop)


def test_a_run_killed_after_the_export_goes_on_from_the_file(
    two_months: None, tmp_path: Path
) -> None:
    drop_june(tmp_path)
    path = tmp_path / "calls_archive_2023_06.csv.gz"
    written = path.read_bytes()
    load_file(path, started_by="test")  # the file is there and so is the partition
    assert drop_june(tmp_path)[0].calls == 1778
    assert path.read_bytes() == written


def test_a_file_of_that_name_with_other_calls_is_never_overwritten(
    line: PhoneNumber, two_months: None, tmp_path: Path
) -> None:
    drop_june(tmp_path)
    written = (tmp_path / "calls_archive_2023_06.csv.gz").read_bytes()
    make_call(line, created_at="2023-06-05T00:00:00Z")
    archive_calls(cut_off=CUT_OFF, started_by="test")
    output = StringIO()
    with pytest.raises(CommandError, match="does not hold what the file holds"):
        call_command(
            "drop_archive", "--older-than=3 years", f"--directory={tmp_path}", stdout=output
        )
    assert (tmp_path / "calls_archive_2023_06.csv.gz").read_bytes() == written
    assert counts()["calls_archive"] == 223


def test_a_damaged_file_is_refused(two_months: None, tmp_path: Path) -> None:
    drop_june(tmp_path)
    path = tmp_path / "calls_archive_2023_06.csv.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadFile, match="does not match"):
        load_file(path, started_by="test")
    assert counts()["calls_archive"] == 222


def test_a_file_without_its_digest_is_known_by_the_ledger(
    two_months: None, tmp_path: Path
) -> None:
    drop_june(tmp_path)
    (tmp_path / "calls_archive_2023_06.csv.gz.sha256").unlink()
    moved = (tmp_path / "calls_archive_2023_06.csv.gz").rename(tmp_path / "june.csv.gz")
    assert load_file(moved, started_by="test").run.calls == 1778
    stranger = tmp_path / "stranger.csv.gz"
    stranger.write_bytes(gzip.compress(b"id\n"))
    with pytest.raises(BadFile, match="cannot be verified"):
        load_file(stranger, started_by="test")


def test_calls_of_a_line_that_was_deleted_do_not_come_back(
    line: PhoneNumber, other_line: PhoneNumber, two_months: None, tmp_path: Path
) -> None:
    make_old_calls(other_line, 10)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    drop_june(tmp_path)
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).delete()
    loaded = load_file(tmp_path / "calls_archive_2023_06.csv.gz", started_by="test")
    assert (loaded.run.calls, loaded.of_deleted_lines) == (10, 1778)


def test_the_commands_report(two_months: None, tmp_path: Path) -> None:
    def run(*arguments: Any) -> str:
        output = StringIO()
        call_command(*arguments, stdout=output)
        return output.getvalue()

    drop = ["drop_archive", "--older-than=1 year", f"--directory={tmp_path}"]
    assert "Would drop 2023-06" in run(*drop, "--dry-run")
    assert list(tmp_path.iterdir()) == []
    query(UNBOUNDED)
    run("roll_up_calls")
    assert "Dropped 2023-07: 222 calls" in run(*drop)
    assert "has no whole month" in run(*drop)
    path = tmp_path / "calls_archive_2023_07.csv.gz"
    assert path.stat().st_mode & 0o077 == 0
    assert "Loaded 222 calls" in run("load_archive", str(path))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["drop_archive", "--older-than=7 years", "--directory=/nowhere"], "is not a directory"),
        (["drop_archive", "--older-than=7", "--directory=/tmp"], "is not a period"),
        (["load_archive", "/nowhere/june.csv.gz"], "No such file"),
    ],
)
def test_bad_input_is_refused(db: None, arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command(*arguments)
