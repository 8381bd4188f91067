"""Records backups for the monitor."""

import socket
import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.arguments import moment, not_empty, path, storable
from monitoring.backups import (
    BadInfo,
    NotSeen,
    is_in_the_future,
    look_at,
    record,
    record_pgbackrest,
    verify,
)
from monitoring.models import Backup, BackupKind


class Command(BaseCommand):
    help = (
        "Records backups, so that database_report can show when the last successful one finished."
        " From cron, after each backup: pgbackrest info --output=json | manage.py record_backup."
        " For another tool: manage.py record_backup --path FILE-OR-DIRECTORY, or --label NAME"
        " --verify-command 'pg_verifybackup /backups/monday'; after a failure --label NAME --error"
        " REASON. A backup that nobody saw is recorded as not verified."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--label",
            type=not_empty,
            help="name of the backup; default: that of the path. Without either, pgBackRest's JSON"
            " is read from stdin",
        )
        parser.add_argument("--kind", default=BackupKind.FULL.value, choices=BackupKind.values)
        parser.add_argument(
            "--path",
            type=path,
            help="the backup's file, or its directory with a manifest; its time is the backup's,"
            " and each report looks again",
        )
        parser.add_argument(
            "--verify-command",
            type=not_empty,
            metavar="COMMAND",
            help="run now, without a shell: exit code 0 means that the backup exists",
        )
        parser.add_argument(
            "--finished-at",
            type=moment,
            help="such as 2026-01-31T02:00:00+00:00; default: the time of the path, or now",
        )
        parser.add_argument("--error", type=storable, default="", help="why it failed")

    def handle(self, **options: Any) -> None:
        if options["label"] is None and options["path"] is None:
            self._record_pgbackrest()
            return
        try:
            backup = _backup(**{name: options[name] for name in WANTED})
        except NotSeen as error:
            raise CommandError(f"Not recorded: {error}.") from None
        except OSError as error:
            raise CommandError(f"Not recorded: {error.filename}: {error.strerror}.") from None
        record(backup)
        self._report([backup])

    def _record_pgbackrest(self) -> None:
        if sys.stdin.isatty():
            raise CommandError(
                "Give --label or --path, or pipe the output of pgbackrest info --output=json."
            )
        try:
            backups = record_pgbackrest(sys.stdin.read())
        except (BadInfo, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from None
        if not backups:
            raise CommandError(
                "pgBackRest lists no backup. Run pgbackrest info, and make a backup; those"
                " recorded before count as gone."
            )
        self._report(backups)

    def _report(self, backups: list[Backup]) -> None:
        self.stdout.write(f"Backups recorded: {len(backups)}.")
        unseen = sum(not backup.evidence and not backup.error for backup in backups)
        if unseen:
            self.stderr.write(
                f"Not verified: {unseen}, which database_report does not count as backups. Give"
                " --path or --verify-command, or pgBackRest's JSON of this cluster."
            )


WANTED = ("label", "kind", "path", "verify_command", "finished_at", "error")


def _backup(
    *,
    label: str | None,
    kind: str,
    path: Path | None,
    verify_command: str | None,
    finished_at: datetime | None,
    error: str,
) -> Backup:
    """The backup with its evidence. Raises NotSeen and OSError."""
    sight = look_at(path) if path else None
    evidence = verify(verify_command) if verify_command else ""
    finished_at = finished_at or (sight.finished_at if sight else timezone.now())
    if is_in_the_future(finished_at):
        raise NotSeen(f"it cannot have finished in the future, at {finished_at.isoformat()}")
    if sight and finished_at > sight.finished_at:
        raise NotSeen(
            f"{sight.path} was written last at {sight.finished_at:%Y-%m-%dT%H:%M:%S%z}, before"
            " --finished-at"
        )
    return Backup(
        label=label or (sight.path.name if sight else ""),
        kind=kind,
        finished_at=finished_at,
        bytes=sight.bytes if sight else None,
        error=error,
        evidence=evidence or ("it is at its path" if sight else ""),
        path=str(sight.path) if sight else "",
        host=socket.gethostname() if sight else "",
    )
