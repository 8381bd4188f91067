"""Whatever ends an archiver, and however many there are: each call is in exactly one place."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, connections

from calls.archival.models import ArchiveRun, RunState
from local.embedded import ROOT, SUPERUSER, SYSTEM_USER, Cluster
from tenancy import all_tenants
from tests.calls.archive import command, counts, everything, make_old_calls, query
from tests.factories import make_line

ARCHIVE = ["archive_calls", "--before=2024-01-01", "--batch-size=50"]


@pytest.fixture
def before(committed: None, rounds: int) -> tuple[object, ...]:
    """A thousand old calls in each round, of two lines, and what is in them."""
    for _ in range(2):
        make_old_calls(make_line(), 500 * rounds)
    return everything()


@pytest.mark.rounds(1, soak=8)
def test_nothing_is_lost_or_doubled_by_sigkill(committed: None, rounds: int) -> None:
    for _ in range(2):  # more than so many archivers move until somebody sees it
        make_old_calls(make_line(), 2_000 + 300 * rounds)
    before = everything()
    luck = random.Random(7)
    moved = [0]
    for _ in range(rounds):
        archiver = command(*ARCHIVE)
        begun = _wait_for(lambda: counts()["calls_archive"] > moved[-1], archiver)
        time.sleep(luck.random() * 0.02)
        archiver.kill()
        archiver.communicate()
        _wait_for_its_sessions()
        assert everything() == before
        now = counts()
        moved.append(now["calls_archive"])
        assert now["app.archived_call_sids"] == moved[-1]
        assert begun  # killed midway
    with all_tenants("test"):
        runs = list(ArchiveRun.objects.all())
    assert sum(run.calls for run in runs) == moved[-1]  # the ledger is exact for killed runs too
    _, errors = command(*ARCHIVE).communicate()
    assert errors == ""
    assert everything() == before
    assert counts()["calls"] == counts()["call_metadata"] == 0


@pytest.mark.rounds(3, soak=8)
def test_sigterm_ends_after_the_batch(committed: None, rounds: int) -> None:
    for _ in range(2):
        make_old_calls(make_line(), 1_000 * rounds, every="3 min")
    archiver = command(*ARCHIVE)
    assert _wait_for(lambda: counts()["calls_archive"] > 0, archiver)
    archiver.send_signal(signal.SIGTERM)
    output, errors = archiver.communicate()
    assert archiver.returncode == 143
    assert "Stopped by a signal after" in errors
    with all_tenants("test"):
        run = ArchiveRun.objects.get()
    assert run.state == RunState.STOPPED
    assert 0 < run.calls == counts()["calls_archive"] <= run.batches * 50
    assert run.remaining == counts()["calls"] > 0
    assert f"Archived {run.calls:,} calls" in output


@pytest.mark.rounds(2, soak=6)
def test_archivers_at_once_share_the_work(before: tuple[object, ...], rounds: int) -> None:
    archivers = [command(*ARCHIVE) for _ in range(3)]
    for archiver in archivers:
        _, errors = archiver.communicate()
        assert (archiver.returncode, errors) == (0, "")
    assert everything() == before
    assert counts()["calls"] == 0
    with all_tenants("test"):
        runs = list(ArchiveRun.objects.all())
    assert sum(run.calls for run in runs) == 1_000 * rounds
    assert sum(run.metadata_rows for run in runs) == 750 * rounds


@pytest.mark.rounds(2, soak=6)
def test_an_archiver_and_a_restorer_lose_nothing(before: tuple[object, ...], rounds: int) -> None:
    assert command(*ARCHIVE, f"--limit={500 * rounds}").wait() == 0
    ((line,), *_) = query("SELECT DISTINCT phone_id FROM calls_archive")
    restore = ["restore_calls", f"--phone-id={line}", "--from=2023-01-01", "--to=2024-01-01"]
    both = [command(*ARCHIVE), command(*restore, "--batch-size=50")]
    for process in both:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
    assert everything() == before


@pytest.mark.rounds(3, soak=6)
def test_metadata_written_meanwhile_is_not_lost(before: tuple[object, ...]) -> None:
    """A writer adds metadata to calls that have none while they are being archived."""
    added: set[str] = set()
    stop = threading.Event()

    def write() -> None:
        ids = [row[0] for row in query("SELECT id FROM calls WHERE duration % 4 = 0")]
        for call_id in ids:
            if stop.is_set():
                break
            try:
                query("INSERT INTO call_metadata (call_id, tags) VALUES (%s, '{late}')", [call_id])
                added.add(str(call_id))
            except IntegrityError:  # the call was archived before
                continue
        connections.close_all()

    writer = threading.Thread(target=write)
    archiver = command(*ARCHIVE)
    assert _wait_for(lambda: counts()["calls_archive"] > 0, archiver)
    writer.start()
    archiver.communicate()
    stop.set()
    writer.join()
    assert command(*ARCHIVE).wait() == 0
    kept = {str(row[0]) for row in query("SELECT id FROM calls_archive WHERE tags = '{late}'")}
    assert kept == added


@pytest.mark.rounds(5, soak=6)
def test_a_full_disk_ends_the_run_and_loses_nothing(
    before: tuple[object, ...], full_soon: None, rounds: int
) -> None:
    archiver = command(*ARCHIVE)
    _, errors = archiver.communicate()
    assert archiver.returncode == 1
    assert "No space left on device" in errors
    assert "Traceback" not in errors
    assert everything() == before
    assert 0 < counts()["calls_archive"] < 1_000 * rounds
    with all_tenants("test"):
        run = ArchiveRun.objects.get()
    assert (run.state, run.calls) == (RunState.FAILED, counts()["calls_archive"])


@pytest.fixture
def full_soon(before: tuple[object, ...]) -> Iterator[None]:
    """The archive's months in a tablespace of one megabyte."""
    cluster = _test_cluster()
    if os.geteuid() != 0 or cluster is None:
        pytest.skip("needs root and the embedded PostgreSQL, to mount a small disk")
    place = Path("/tmp") / f"replytics-{os.getpid()}"  # noqa: S108 - its path must be reachable
    place.mkdir()
    try:
        options = ["-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", str(place)]
        if subprocess.run(["/bin/mount", *options], capture_output=True).returncode:
            pytest.skip("mounting is not allowed here")
        try:
            space = place / "space"
            space.mkdir()
            shutil.chown(space, SYSTEM_USER)
            yield from _months_in(cluster, space)
        finally:
            subprocess.run(["/bin/umount", "-l", str(place)], check=True)
    finally:
        place.rmdir()


def _months_in(cluster: Cluster, space: Path) -> Iterator[None]:
    url = cluster.url(SUPERUSER, connections["default"].settings_dict["NAME"])
    assert url is not None
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        superuser.execute("GRANT CREATE ON TABLESPACE small TO replytics_owner")
        query("SELECT app.create_archive_partitions('2023-06-01', '2023-07-01')")
        months = ["calls_archive_2023_06", "calls_archive_2023_07"]
        for month in months:
            superuser.execute(f"ALTER TABLE {month} SET TABLESPACE small")
        yield
        for month in months:
            superuser.execute(f"DROP TABLE {month}")
        superuser.execute("DROP TABLESPACE small")


def _test_cluster() -> Cluster | None:
    port = connections["default"].settings_dict["PORT"]
    for directory in (ROOT / ".postgres").glob("test-*"):
        described = Cluster(directory).describe()
        if described and str(described["port"]) == str(port):
            return Cluster(directory)
    return None


def _wait_for_its_sessions() -> None:
    """A COMMIT that was sent before the kill is still carried out."""
    sessions = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE '%archive_calls'
    """
    while query(sessions) != [(0,)]:
        time.sleep(0.01)


def _wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> bool:
    """False when the process ended before the condition held."""
    while process.poll() is None:
        if condition():
            return True
        time.sleep(0.005)
    return False
