"""load_archive: in batches, resumable, and never beside a live call of the same SID."""

import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.backends.utils import CursorWrapper

from calls.archival import batches, files, loading
from calls.archival.loading import load_file
from calls.archival.models import ArchiveRun, RunState
from calls.archival.moving import archive_calls
from calls.models import SealedMonth
from tenancy import all_tenants, tenant
from tests.calls.archive import (
    CUT_OFF,
    command,
    counts,
    drop_june,
    everything,
    held,
    make_old_calls,
    query,
    wait_for_a_waiting_writer,
)
from tests.factories import make_line

INSERT = """
INSERT INTO calls (phone_id, caller_number, call_sid, status)
VALUES ('pn_test', '+14155550000', 'pn_test1', 'ringing')
"""
ARCHIVE = "SELECT md5(string_agg(a::text, '' ORDER BY id)) FROM calls_archive a"


@pytest.fixture
def file(committed: None, tmp_path: Path) -> Path:
    """250 calls of one month, whose texts hold quotes and line breaks."""
    make_old_calls(make_line(id="pn_test"), 250)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    _, path = drop_june(tmp_path)
    return path


def in_a_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[str]]:
    outcome: list[str] = []

    def run() -> None:
        try:
            work()
            outcome.append("done")
        except IntegrityError as error:
            outcome.append(str(error).split("\n")[0])
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def sealed() -> list[int]:
    with all_tenants("test"):
        return list(SealedMonth.objects.values_list("calls", flat=True))


@pytest.mark.usefixtures("full_batches")
def test_batches_of_any_size_bring_the_same_back(file: Path) -> None:
    for size in (1, 7, 249, 1_000):
        loaded = load_file(file, batch_size=size, started_by="test")
        assert (loaded.run.calls, loaded.run.metadata_rows) == (250, 188)
        assert loaded.run.batches == -(-250 // size)
        assert sealed() == []
        assert counts() == {
            "calls": 0,
            "call_metadata": 0,
            "calls_archive": 250,
            "app.archived_call_sids": 250,
        }
        with all_tenants("test"):
            assert loaded.run.checksum == ArchiveRun.objects.filter(kind="drop")[0].checksum
        # Dropping it again verifies that the file still says the same.
        assert drop_june(file.parent)[1] == file


def test_a_stopped_load_goes_on_where_it_ended(file: Path) -> None:
    stop = iter([False, False, True])
    stopped = load_file(file, batch_size=100, started_by="test", should_stop=lambda: next(stop))
    assert (stopped.run.state, stopped.run.calls) == (RunState.STOPPED, 200)
    assert sealed() == [50]  # the month's numbers stand until the last call is back
    rest = load_file(file, batch_size=100, started_by="test")
    assert (rest.run.calls, rest.already_archived) == (50, 200)
    assert sealed() == []


def test_a_killed_load_leaves_whole_batches_and_goes_on(file: Path) -> None:
    with held(INSERT.replace("pn_test1'", "pn_test100'")):
        process = command("load_archive", str(file), "--batch-size=1")
        wait_for_a_waiting_writer()
        process.kill()
        process.communicate()
    assert counts() == {
        "calls": 0,
        "call_metadata": 0,
        "calls_archive": 99,
        "app.archived_call_sids": 99,
    }
    assert sealed() == [151]
    call_command("load_archive", str(file), stdout=StringIO())
    assert everything()[:3] == (250, 250, 250)
    assert sealed() == []


def test_a_batch_that_meets_a_lock_is_tried_again_smaller(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the seals until the loader has given up once."""
    sizes: list[int] = []
    take = files.Records.take

    def noting(self: files.Records, cursor: CursorWrapper, most: int) -> int:
        sizes.append(most)
        if len(sizes) == 2:
            second_try.set()
            assert free.wait(30)
        return take(self, cursor, most)

    monkeypatch.setattr(files.Records, "take", noting)
    second_try, free = threading.Event(), threading.Event()
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("LOCK TABLE sealed_months IN ACCESS EXCLUSIVE MODE")
        thread, outcome = in_a_thread(lambda: load_file(file, started_by="test"))
        assert second_try.wait(30)
    free.set()
    thread.join(30)
    assert outcome == ["done"]
    assert sizes[:2] == [1_000, 500]
    assert counts()["calls_archive"] == 250


def test_a_live_call_of_the_same_sid_refuses_the_load(file: Path) -> None:
    query(INSERT)
    with pytest.raises(CommandError, match="cannot be live and archived at once"):
        call_command("load_archive", str(file))
    assert (counts()["calls"], counts()["calls_archive"]) == (1, 0)


def test_a_load_that_waits_for_an_insert_of_the_sid_is_refused(file: Path) -> None:
    with transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:
            cursor.execute(INSERT)
        thread, outcome = in_a_thread(lambda: load_file(file, started_by="test"))
        wait_for_a_waiting_writer()
    thread.join(30)
    assert outcome == ["A call cannot be live and archived at once."]
    assert (counts()["calls"], counts()["calls_archive"]) == (1, 0)


def test_an_insert_that_waits_for_a_load_of_the_sid_is_refused(file: Path) -> None:
    def insert() -> None:
        with tenant("pn_test"), connection.cursor() as cursor:
            cursor.execute(INSERT)

    with (
        all_tenants("test"),
        connection.cursor() as cursor,
        files.records(cursor, file) as records,
        transaction.atomic(),
    ):
        loading.batch_of(records)(cursor, 1_000, batches.BEGINNING)
        thread, outcome = in_a_thread(insert)
        wait_for_a_waiting_writer()
    thread.join(30)
    assert outcome == ["A call with this SID was archived."]
    assert (counts()["calls"], counts()["calls_archive"]) == (0, 250)


def test_two_loads_at_once_share_nothing_and_lose_nothing(file: Path) -> None:
    threads = [
        in_a_thread(lambda: load_file(file, batch_size=10, started_by="test")) for _ in range(2)
    ]
    for thread, _ in threads:
        thread.join(60)
    assert [outcome for _, outcome in threads] == [["done"], ["done"]]
    assert everything()[:3] == (250, 250, 250)
    assert sealed() == []
    with all_tenants("test"):
        assert sum(ArchiveRun.objects.filter(kind="load").values_list("calls", flat=True)) == 250
