"""A backup exists when it was seen to exist; nothing else turns the light green."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from monitoring.findings import Finding, Level
from monitoring.models import Backup
from tenancy import all_tenants

Find = Callable[[str], Finding]
pytestmark = pytest.mark.usefixtures("committed")
HOUR = 3600


def pgbackrest(*, stop: float, system_id: int, kind: str = "full") -> list[dict[str, Any]]:
    """What `pgbackrest info --output=json` prints; the second backup has damaged pages."""
    database = {"id": 1, "repo-key": 1}
    return [
        {
            "name": "main",
            "status": {"code": 0, "message": "ok"},
            "db": [{"id": 1, "repo-key": 1, "system-id": system_id, "version": "18"}],
            "backup": [
                {
                    "label": "20261122-020000F",
                    "type": kind,
                    "error": False,
                    "database": database,
                    "timestamp": {"start": int(stop) - 300, "stop": int(stop)},
                    "info": {"size": 25_000_000, "delta": 25_000_000},
                },
                {
                    "label": "20261122-020000F_20261123-020000I",
                    "type": "incr",
                    "error": True,
                    "database": database,
                    "timestamp": {"start": int(stop) + 10, "stop": int(stop) + 20},
                },
            ],
        }
    ]


@pytest.fixture
def system_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        found: int = cursor.fetchone()[0]
    return found


def record(*arguments: str) -> str:
    """What the command printed to standard error."""
    errors = StringIO()
    call_command("record_backup", *arguments, stdout=StringIO(), stderr=errors)
    return errors.getvalue()


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], str]:
    def pipe(info: Any) -> str:
        text = info if isinstance(info, str) else json.dumps(info)
        monkeypatch.setattr("sys.stdin", StringIO(text))
        return record()

    return pipe


def test_backups_of_this_cluster_are_recorded(
    pipe: Callable[[Any], str], finding: Find, system_id: int
) -> None:
    for _ in range(2):  # the second time changes nothing
        assert pipe(pgbackrest(stop=time.time() - HOUR, system_id=system_id)) == ""
    with all_tenants("test"):
        good, bad = Backup.objects.order_by("finished_at")
    assert (good.stanza, good.kind, good.bytes, good.error) == ("main", "full", 25_000_000, "")
    assert bad.error == "pages with a wrong checksum"
    last = finding("last_backup")
    assert last.level is Level.OK
    assert "20261122-020000F (full)" in last.items[0].text
    assert "pgBackRest lists it" in last.items[0].text
    assert finding("failed_backups").level is Level.CRITICAL


@pytest.mark.parametrize("listed", ["of the stanza", "of the repository"])
def test_a_backup_that_pgbackrest_lists_no_more_is_gone(
    pipe: Callable[[Any], str], finding: Find, system_id: int, listed: str
) -> None:
    [stanza] = pgbackrest(stop=time.time() - HOUR, system_id=system_id)
    pipe([stanza, {"name": "other", "backup": []}])
    assert finding("last_backup").level is Level.OK
    status = {"code": 2, "message": "no valid backups"}
    none = [stanza | {"backup": [], "status": status}] if listed == "of the stanza" else []
    with pytest.raises(CommandError, match="lists no backup"):
        pipe(none)
    gone = finding("last_backup")
    assert gone.level is Level.CRITICAL
    assert "is gone: pgBackRest has not listed it since" in gone.items[0].text
    record("--label=monday")  # which nobody saw either
    pipe([stanza])
    [seen] = [item for item in finding("last_backup").items if item.subject == "main"]
    assert seen.level is Level.OK


def test_a_backup_that_expired_leaves_the_later_ones(
    pipe: Callable[[Any], str], finding: Find, system_id: int
) -> None:
    [stanza] = pgbackrest(stop=time.time() - 2 * HOUR, system_id=system_id)
    pipe([stanza])
    [later] = pgbackrest(stop=time.time() - HOUR, system_id=system_id)
    later["backup"] = [later["backup"][0] | {"label": "20261129-020000F"}]
    pipe([{"name": "other", "backup": []}, later])
    [last] = finding("last_backup").items
    assert last.level is Level.OK
    assert "20261129-020000F (full)" in last.text
    with all_tenants("test"):
        [kept] = Backup.objects.exclude(evidence="")
    assert kept.label == "20261129-020000F"


def test_backups_of_another_cluster_are_not_verified(
    pipe: Callable[[Any], str], finding: Find, system_id: int
) -> None:
    assert "Not verified: 1" in pipe(pgbackrest(stop=time.time(), system_id=system_id + 1))
    assert finding("last_backup").level is Level.UNKNOWN


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"name": "x"}]', "no backups"])
def test_what_is_no_backup_info_is_refused(pipe: Callable[[Any], str], text: str) -> None:
    with pytest.raises(CommandError, match="pgbackrest info --output=json"):
        pipe(text)


def test_a_report_of_the_future_or_of_another_kind_is_refused(
    pipe: Callable[[Any], str], system_id: int
) -> None:
    with pytest.raises(CommandError, match="in the future"):
        pipe(pgbackrest(stop=time.time() + HOUR, system_id=system_id))
    with pytest.raises(CommandError, match="banana"):
        pipe(pgbackrest(stop=time.time(), system_id=system_id, kind="banana"))
    with all_tenants("test"):
        assert not Backup.objects.exists()


def test_an_invented_label_is_not_verified(finding: Find) -> None:
    assert "Not verified: 1" in record("--label=monday")
    last = finding("last_backup")
    assert last.level is Level.UNKNOWN
    assert "monday (full)" in last.items[0].text
    assert "not verified" in last.items[0].text


def test_an_invented_label_hides_no_failure(finding: Find) -> None:
    record("--label=monday", "--error=disk full")
    record("--label=tuesday")
    assert finding("failed_backups").level is Level.CRITICAL


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--label=x", "--finished-at=yesterday"], "is not a time"),
        (["--label=x", "--finished-at=2050-01-01T00:00:00+00:00"], "in the future"),
        (["--label=x", "--kind=banana"], "banana"),
        (["--label=  "], "the value is empty"),
        (["--label="], "the value is empty"),
        (["--path=/nowhere/at/all"], "No such file or directory"),
        (["--label=x", "--verify-command=false"], "exited with 1"),
        (["--label=x", "--verify-command=/no/such/program"], "could not be run"),
        (["--label=x", "--verify-command='"], "could not be run"),
    ],
)
def test_nonsense_is_refused(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        record(*arguments)
    with all_tenants("test"):
        assert not Backup.objects.exists()


def test_the_database_refuses_the_future_and_other_kinds() -> None:
    later = timezone.now() + timedelta(days=1)
    for wrong in ({"finished_at": later}, {"kind": "banana"}):
        row = {"label": "x", "kind": "full", "finished_at": timezone.now()} | wrong
        with all_tenants("test"), pytest.raises(IntegrityError):
            Backup.objects.create(**row)


def test_a_file_is_looked_at_again(tmp_path: Path, finding: Find) -> None:
    file = tmp_path / "monday.dump"
    file.write_bytes(b"rows")
    written = time.time() - 30 * HOUR
    os.utime(file, (written, written))
    assert record(f"--path={file}") == ""
    with all_tenants("test"):
        backup = Backup.objects.get()
    assert (backup.label, backup.bytes) == ("monday.dump", 4)
    assert backup.finished_at == datetime.fromtimestamp(written, UTC)
    assert finding("last_backup").level is Level.WARNING  # 30 hours old
    os.utime(file)
    record(f"--path={file}")
    assert finding("last_backup").level is Level.OK
    file.write_bytes(b"")
    emptied = finding("last_backup")
    file.unlink()
    gone = finding("last_backup")
    assert emptied.level is gone.level is Level.CRITICAL
    assert f"is gone from {file}" in gone.items[0].text


def test_an_older_backup_that_is_there_counts(tmp_path: Path, finding: Find) -> None:
    for name, hours in (("old", 40), ("new", 1)):
        file = tmp_path / name
        file.write_bytes(b"rows")
        os.utime(file, (time.time() - hours * HOUR,) * 2)
        record(f"--path={file}")
    (tmp_path / "new").unlink()
    found = finding("last_backup")
    assert found.level is Level.WARNING
    assert found.value == pytest.approx(40, abs=1)


def test_a_directory_needs_a_manifest(tmp_path: Path, finding: Find) -> None:
    (tmp_path / "base.tar").write_bytes(b"rows")
    with pytest.raises(CommandError, match="none of backup_manifest"):
        record(f"--path={tmp_path}")
    (tmp_path / "backup_manifest").touch()
    with pytest.raises(CommandError, match="is empty"):
        record(f"--path={tmp_path}")
    (tmp_path / "backup_manifest").write_text("{}")
    record(f"--path={tmp_path}")
    assert finding("last_backup").level is Level.OK


def test_an_old_file_is_no_backup_of_today(tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_bytes(b"rows")
    os.utime(file, (time.time() - 48 * HOUR,) * 2)
    with pytest.raises(CommandError, match="before --finished-at"):
        record(f"--path={file}", f"--finished-at={timezone.now().isoformat()}")


def test_a_command_may_verify(finding: Find) -> None:
    assert record("--label=monday", "--kind=diff", "--verify-command=true") == ""
    found = finding("last_backup")
    assert found.level is Level.OK
    assert "monday (diff)" in found.items[0].text
    assert "true verified it" in found.items[0].text
