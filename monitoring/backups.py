"""Backups as a backup tool reports them."""

import json
from datetime import UTC, datetime
from typing import Any

from monitoring.models import Backup
from tenancy import all_tenants


class BadInfo(Exception):
    """Not the output of `pgbackrest info --output=json`."""


def record_pgbackrest(text: str) -> int:
    """Record the backups in pgBackRest's own JSON; returns how many there are. Raises BadInfo."""
    try:
        stanzas = json.loads(text)
        if not isinstance(stanzas, list):
            raise TypeError("not a list of stanzas")
        backups = [
            _backup(stanza["name"], backup) for stanza in stanzas for backup in stanza["backup"]
        ]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise BadInfo(f"{BadInfo.__doc__} ({type(error).__name__}: {error})") from None
    for backup in backups:
        record(backup)
    return len(backups)


def record(backup: Backup) -> None:
    """Store a backup; the same label again is the same backup."""
    with all_tenants("record_backup"):
        Backup.objects.update_or_create(
            stanza=backup.stanza,
            label=backup.label,
            defaults={
                "kind": backup.kind,
                "finished_at": backup.finished_at,
                "bytes": backup.bytes,
                "error": backup.error,
            },
        )


def _backup(stanza: str, backup: dict[str, Any]) -> Backup:
    # "error" is true when pages with a wrong checksum were found; the backup is complete.
    return Backup(
        stanza=stanza,
        label=backup["label"],
        kind=backup["type"],
        finished_at=datetime.fromtimestamp(backup["timestamp"]["stop"], UTC),
        bytes=backup.get("info", {}).get("size"),
        error="pages with a wrong checksum" if backup.get("error") else "",
    )
