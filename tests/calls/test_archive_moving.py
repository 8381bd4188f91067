"""archive_calls: what moves, what stays, and what is written down about it."""

import re
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from rich.console import Console

from calls.archival.batches import BatchResult
from calls.archival.forecast import forecast
from calls.archival.models import ArchiveRun, RunKind, RunState
from calls.archival.moving import MonthQueue, archive_calls, count_metadata, survey
from calls.models import Call, CallArchive
from console import progress
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, counts, everything, held, make_old_calls, query
from tests.factories import make_call, make_line


def archive(**overrides: Any) -> ArchiveRun:
    asked: dict[str, Any] = {"cut_off": CUT_OFF, "started_by": "test"}
    return archive_calls(**asked | overrides)


@pytest.mark.usefixtures("full_batches")
def test_ended_calls_before_the_cut_off_move_whole(line: PhoneNumber) -> None:
    make_old_calls(line, 250)
    before = everything()
    run = archive(batch_size=100)
    assert everything() == before
    assert counts() == {
        "calls": 0,
        "call_metadata": 0,
        "calls_archive": 250,
        "app.archived_call_sids": 250,
    }
    assert (run.calls, run.metadata_rows, run.batches) == (250, 188, 3)
    assert run.bytes > 0


def test_the_cut_off_itself_stays(line: PhoneNumber) -> None:
    make_call(line, call_sid="at", created_at=CUT_OFF)
    make_call(line, call_sid="before", created_at=CUT_OFF - timedelta(microseconds=1))
    assert archive().calls == 1
    assert query("SELECT call_sid FROM calls_archive") == [("before",)]


def test_calls_that_go_on_or_are_held_stay_and_are_counted(line: PhoneNumber) -> None:
    old = CUT_OFF - timedelta(days=30)
    make_call(line, status="ringing", created_at=old)
    make_call(line, status="answered", created_at=old, legal_hold=True)
    make_call(line, legal_hold=True, created_at=old)
    make_call(line, created_at=old)
    run = archive()
    assert (run.calls, run.left_live, run.left_held, run.remaining) == (1, 2, 1, 0)
    assert counts()["calls"] == 3


def test_the_first_and_the_last_moment_of_a_month_move(line: PhoneNumber) -> None:
    july = datetime(2023, 7, 1, tzinfo=UTC)
    for n, moment in enumerate((july - timedelta.resolution, july)):
        make_call(line, id=UUID(int=n), created_at=moment)
    assert archive(batch_size=1).calls == 2
    assert query("SELECT tableoid::regclass::text FROM calls_archive ORDER BY created_at") == [
        ("calls_archive_2023_06",),
        ("calls_archive_2023_07",),
    ]


def test_each_connection_has_a_month_of_its_own_as_long_as_there_are_any() -> None:
    june, july, august = (datetime(2023, month, 1, tzinfo=UTC) for month in (6, 7, 8))
    months = MonthQueue([june, july, august])
    assert [months.next(None), months.next(None)] == [june, july]
    assert months.next(june) == august
    # Then it helps with what is left.
    assert months.next(july) == august
    assert months.next(august) is None
    assert months.next(august) is None


def test_one_line_alone_can_be_archived(line: PhoneNumber, other_line: PhoneNumber) -> None:
    make_old_calls(line, 5)
    make_old_calls(other_line, 7)
    run = archive(phone_id=line.pk)
    assert (run.calls, run.phone_id) == (5, line.pk)
    assert query("SELECT DISTINCT phone_id FROM calls") == [(other_line.pk,)]


def test_the_limit_takes_the_oldest(line: PhoneNumber) -> None:
    make_old_calls(line, 30)
    run = archive(limit=25, batch_size=10)
    assert (run.calls, run.remaining) == (25, 5)
    ((youngest,),) = query("SELECT max(created_at) FROM calls_archive")
    assert query("SELECT count(*) FROM calls WHERE created_at <= %s", [youngest]) == [(0,)]


@pytest.mark.parametrize("limit", [None, 12])
def test_a_dry_run_counts_what_a_run_moves(line: PhoneNumber, limit: int | None) -> None:
    make_old_calls(line, 20)
    make_call(line, status="answered", created_at=CUT_OFF - timedelta(days=30))
    before = counts()
    with all_tenants("test"):
        plan = survey(cut_off=CUT_OFF, limit=limit)
        metadata_rows = count_metadata(cut_off=CUT_OFF, limit=limit)
    assert counts() == before
    run = archive(limit=limit)
    assert (plan.calls, metadata_rows, plan.left_live, plan.left_held) == (
        run.calls,
        run.metadata_rows,
        run.left_live,
        run.left_held,
    )


def test_the_forecast_has_the_rows_and_bytes_of_each_month_and_line(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_old_calls(line, 2_000)
    make_old_calls(other_line, 10)
    with all_tenants("test"):
        rows = forecast(cut_off=CUT_OFF)
    assert [(f"{row.month:%Y-%m}", row.phone_id, row.calls) for row in rows] == [
        ("2023-06", line.pk, 1778),
        ("2023-06", other_line.pk, 10),
        ("2023-07", line.pk, 222),
    ]
    assert all(row.bytes > 100 * row.calls for row in rows)


def test_the_command_reports_and_a_dry_run_writes_nothing(line: PhoneNumber) -> None:
    make_old_calls(line, 10)
    output = StringIO()
    call_command("archive_calls", "--before=2024-01-01", "--dry-run", stdout=output)
    assert "Would archive 10 calls and 8 metadata rows" in output.getvalue()
    call_command("archive_calls", "--before=2024-01-01", "--forecast", stdout=output)
    assert re.search(rf"^2023-06  {line.pk}  10 calls  [\d,]+ bytes$", output.getvalue(), re.M)
    assert counts()["calls_archive"] == 0
    call_command("archive_calls", "--before=2024-01-01", stdout=output)
    assert "Archived 10 calls and 8 metadata rows" in output.getvalue()
    for table in ("calls", "call_metadata"):
        said = rf"^{table}: [\d,]+ dead rows; autovacuum is (not )?due( yet)? \(threshold: \d"
        assert re.search(said, output.getvalue(), re.M)


def test_a_terminal_shows_how_far_it_is(
    line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old_calls(line, 10)
    terminal = Console(file=StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(progress, "Console", lambda stderr: terminal)
    call_command("archive_calls", "--before=2024-01-01", stdout=StringIO())
    assert "10/10" in terminal.file.getvalue()  # type: ignore[attr-defined]


def test_autovacuum_works_at_few_dead_rows(db: None) -> None:
    for table in ("calls", "call_metadata"):
        [(options,)] = query("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [table])
        assert "autovacuum_vacuum_scale_factor=0.02" in options


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--older-than=soon"], "is not a period"),
        (["--before=2999-01-01"], "in the future"),
        (["--phone-id=nobody"], "not found"),
        (["--batch-size=0"], "not a whole number of at least 1"),
    ],
)
def test_bad_input_is_refused_in_one_line(db: None, arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("archive_calls", *arguments)


def test_the_ledger_names_who_started_and_how_it_ended(line: PhoneNumber) -> None:
    make_old_calls(line, 3)
    archive(started_by="cron@db1")
    with all_tenants("test"):
        run = ArchiveRun.objects.get()
    assert (run.kind, run.state, run.started_by, run.cut_off) == (
        RunKind.ARCHIVE,
        RunState.DONE,
        "cron@db1",
        CUT_OFF,
    )
    assert run.ended_at is not None


def test_a_stop_ends_after_the_batch(line: PhoneNumber) -> None:
    make_old_calls(line, 30)
    answers = iter([False, True])
    run = archive(batch_size=10, should_stop=lambda: next(answers))
    assert (run.calls, run.state) == (10, RunState.STOPPED)
    assert counts()["calls"] == 20


def test_locked_calls_are_skipped_and_archived_later(
    committed: None,
) -> None:
    line = make_line()
    make_old_calls(line, 30)
    with held("SELECT id FROM calls WHERE duration IN (3, 17) FOR UPDATE"):
        run = archive(batch_size=10)
    assert (run.calls, run.remaining) == (28, 2)
    assert archive().calls == 2


def test_calls_whose_metadata_is_being_written_are_skipped(
    committed: None,
) -> None:
    line = make_line()
    make_old_calls(line, 30)
    before = everything()
    with held("UPDATE call_metadata SET tags = '{}' WHERE 'n5' = ANY(tags)"):
        run = archive(batch_size=10)
    assert (run.calls, run.remaining) == (29, 1)
    assert archive().calls == 1
    assert everything() == before


@pytest.mark.usefixtures("committed", "full_batches")
def test_the_connections_of_one_run_share_its_work() -> None:
    for _ in range(2):
        make_old_calls(make_line(), 400)
    before = everything()
    seen: set[int] = set()
    both_at_work = threading.Barrier(2)

    def note(moved: BatchResult) -> None:
        if threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            both_at_work.wait(timeout=30)

    run = archive(batch_size=50, workers=2, on_batch=note)
    assert len(seen) == 2
    assert everything() == before
    assert (run.calls, run.metadata_rows, run.batches) == (800, 600, 16)
    assert counts()["calls"] == 0


def test_an_error_in_one_connection_ends_the_run(committed: None) -> None:
    make_old_calls(make_line(), 400)
    before = everything()
    here = threading.get_ident()
    failed = threading.Event()

    def fail_elsewhere(moved: BatchResult) -> None:
        if threading.get_ident() == here:
            assert failed.wait(timeout=30)
        else:
            failed.set()
            raise OSError("the helper's terminal is gone")

    with pytest.raises(OSError, match="terminal is gone"):
        archive(batch_size=50, workers=2, on_batch=fail_elsewhere)
    assert everything() == before
    with all_tenants("test"):
        assert ArchiveRun.objects.get().state == RunState.FAILED


def test_the_statement_of_the_schema_document_keeps_the_metadata(line: PhoneNumber) -> None:
    make_old_calls(line, 40)
    before = everything()
    query("SELECT app.create_archive_partitions('2023-06-01', '2023-08-01')")
    query(
        "WITH archived_calls AS (DELETE FROM calls WHERE created_at < NOW() - INTERVAL '1 year'"
        " RETURNING *) INSERT INTO calls_archive SELECT * FROM archived_calls"
    )
    assert everything() == before
    assert counts()["calls_archive"] == counts()["app.archived_call_sids"] == 40


def test_the_archive_is_read_only_for_the_orm(line: PhoneNumber) -> None:
    make_old_calls(line, 1)
    archive()
    with all_tenants("test"), pytest.raises(Exception, match="archive_calls and restore_calls"):
        CallArchive.objects.all().delete()
    with all_tenants("test"):
        assert not Call.objects.exists()


@pytest.mark.usefixtures("committed")
def test_the_archive_as_a_whole_is_analyzed_after_a_run() -> None:
    make_old_calls(make_line(), 300)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    assert query("SELECT reltuples FROM pg_class WHERE relname = 'calls_archive'") == [(300,)]
