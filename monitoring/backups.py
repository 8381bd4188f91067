"""Backups as a tool reports them, and the evidence that they exist."""

import json
import os
import shlex
import socket
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from monitoring.models import CLOCKS_DIFFER, Backup, BackupKind
from tenancy import all_tenants

SYSTEM_ID = "SELECT system_identifier FROM pg_control_system()"
# What pg_basebackup, pgBackRest and pg_dump --format=directory leave in a directory.
MANIFESTS = ("backup_manifest", "backup.manifest", "toc.dat")
# The evidence of what pgBackRest has in its repository.
LISTED = "pgBackRest lists it"


class BadInfo(Exception):
    """Not the output of `pgbackrest info --output=json`."""


class NotSeen(Exception):
    """The backup could not be seen; the message says why."""


@dataclass(frozen=True)
class Sight:
    """A backup that was seen at a path."""

    path: Path
    finished_at: datetime
    bytes: int | None


def look_at(path: Path) -> Sight:
    """A backup's file, or its directory with a manifest; finished when that was written last.

    Raises NotSeen, and OSError where the path is not there or may not be read.
    """
    path = path.resolve(strict=True)
    seen = path
    if path.is_dir():
        manifests = [path / name for name in MANIFESTS if (path / name).is_file()]
        if not manifests:
            raise NotSeen(f"{path} is not a backup: it has none of {', '.join(MANIFESTS)}")
        [seen, *_] = manifests
    found = seen.stat()
    if not found.st_size:
        raise NotSeen(f"{seen} is empty")
    finished_at = datetime.fromtimestamp(found.st_mtime, UTC)
    return Sight(path, finished_at, found.st_size if seen is path else None)


def is_gone(backup: dict[str, Any]) -> bool:
    """Whether a recorded backup is no longer where it was seen. Elsewhere, nobody can look."""
    if not backup["path"] or backup["host"] != socket.gethostname():
        return False
    try:
        look_at(Path(backup["path"]))
    except (FileNotFoundError, NotADirectoryError, NotSeen):
        return True
    except OSError:  # this login may not look there
        return False
    return False


def verify(command: str) -> str:
    """Run a command that fails unless the backup is good; returns the evidence. Raises NotSeen."""
    try:
        words = shlex.split(command)
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except (ValueError, OSError, IndexError) as error:
        raise NotSeen(f"the command could not be run: {error}") from None
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split())[-300:]
        raise NotSeen(f"the command exited with {done.returncode}: {reason}")
    return f"{os.path.basename(words[0])} verified it"


def record_pgbackrest(text: str) -> list[Backup]:
    """Record the backups in pgBackRest's own JSON, and return them. Raises BadInfo.

    Those of this cluster, by its system identifier, count as seen: pgBackRest lists what is in its
    repository. Those it listed before and lists no more are marked as missing.
    """
    try:
        stanzas = json.loads(text)
        if not isinstance(stanzas, list):
            raise TypeError("not a list of stanzas")
        cluster = _system_id()
        backups = {
            str(stanza["name"]): [_backup(stanza, backup, cluster) for backup in stanza["backup"]]
            for stanza in stanzas
        }
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise BadInfo(f"{BadInfo.__doc__} ({type(error).__name__}: {error})") from None
    _mark_missing(backups)
    listed = [backup for of in backups.values() for backup in of]
    for backup in listed:
        record(backup)
    return listed


def _mark_missing(backups: dict[str, list[Backup]]) -> None:
    """Mark what these stanzas no longer list; without any stanza, the repository is empty."""
    with all_tenants("record_backup"):
        listed = Backup.objects.filter(evidence=LISTED)
        gone = [
            listed.filter(stanza=stanza).exclude(label__in=[backup.label for backup in of])
            for stanza, of in backups.items()
        ]
        for missing in gone or [listed]:
            missing.update(evidence="", missing_since=timezone.now())


def record(backup: Backup) -> None:
    """Store a backup; the same label again is the same backup."""
    known = ("kind", "finished_at", "bytes", "error", "evidence", "path", "host")
    with all_tenants("record_backup"):
        Backup.objects.update_or_create(
            stanza=backup.stanza,
            label=backup.label,
            defaults={name: getattr(backup, name) for name in known}
            | {"recorded_at": timezone.now(), "missing_since": None},
        )


def is_in_the_future(finished_at: datetime) -> bool:
    return finished_at > timezone.now() + CLOCKS_DIFFER


def _system_id() -> int:
    with all_tenants("record_backup"), connection.cursor() as cursor:
        cursor.execute(SYSTEM_ID)
        found: int = cursor.fetchone()[0]
    return found


def _backup(stanza: dict[str, Any], backup: dict[str, Any], cluster: int) -> Backup:
    finished_at = datetime.fromtimestamp(backup["timestamp"]["stop"], UTC)
    if is_in_the_future(finished_at):
        raise ValueError(f"{backup['label']} finishes in the future, at {finished_at}")
    database = backup.get("database", {}).get("id")
    clusters = {db["id"]: db["system-id"] for db in stanza.get("db", [])}
    # "error" is true when pages with a wrong checksum were found; the backup is complete.
    return Backup(
        stanza=stanza["name"],
        label=backup["label"],
        kind=BackupKind(backup["type"]),
        finished_at=finished_at,
        bytes=backup.get("info", {}).get("size"),
        error="pages with a wrong checksum" if backup.get("error") else "",
        evidence=LISTED if clusters.get(database) == cluster else "",
    )
