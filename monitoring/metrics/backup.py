"""Whether the data can be restored."""

from itertools import groupby
from operator import itemgetter
from typing import Any

from monitoring.backups import is_gone
from monitoring.metrics.base import Metric
from monitoring.server import Row, Server


class Archiving(Metric):
    group = "backup"
    name = "wal_archiving"
    label = "WAL archiving"
    help = "Minutes since the last segment was archived, and whether the archive command fails."
    sql = """
        SELECT 'archive' AS subject, archived_count, failed_count, last_failed_wal,
            extract(epoch FROM clock_timestamp() - last_archived_time) / 60 AS value,
            CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')
                THEN 'critical' WHEN last_archived_time IS NULL THEN 'unknown' END AS level,
            CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')
                THEN 'has failed since ' || last_failed_wal
                WHEN last_archived_time IS NULL THEN 'has archived nothing yet'
                ELSE 'last succeeded at '
                    || to_char(last_archived_time, 'YYYY-MM-DD HH24:MI:SS OF')
            END AS what
        FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'
    """
    summary = "the archive command {what}; {archived_count} segments, {failed_count} failures"
    fix = "Read the archive command's error in the server log; WAL accumulates until it works"
    unit = "minutes"
    warning, critical = 60, 360
    lists_ok = True
    empty = (
        "archive_mode is off: this server has no archive for point-in-time recovery; a managed"
        " service may provide its own"
    )


class LastBackup(Metric):
    """Only what was seen to exist counts.

    What was seen at a path is looked at again. What pgBackRest lists no more is gone.
    """

    group = "backup"
    name = "last_backup"
    label = "Last successful backup"
    help = (
        "Hours since the last successful backup recorded with manage.py record_backup and seen to"
        " exist: listed by pgBackRest, at its path, or verified by a command."
    )
    sql = """
        SELECT subject, kind, label, finished_at, evidence, path, host, missing_since,
            extract(epoch FROM clock_timestamp() - finished_at) / 3600 AS value
        FROM (SELECT *, coalesce(nullif(stanza, ''), 'backup') AS subject,
                row_number() OVER (PARTITION BY stanza ORDER BY finished_at DESC) AS place
              FROM backups WHERE error = '') AS latest
        WHERE place <= 20 ORDER BY subject, finished_at DESC
    """
    summary = (
        "{subject}: the last successful one, {label} ({kind}), finished at"
        " {finished_at:%Y-%m-%d %H:%M %Z}; {evidence}"
    )
    fix = "Run the backup by hand and read its output; record it with --path or --verify-command"
    unit = "h"
    warning, critical = 26, 50
    needs_table = "backups"
    lists_ok = True
    empty = (
        "no backup has been recorded; run from cron after each backup:"
        " pgbackrest info --output=json | manage.py record_backup"
    )

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        found = super().rows(cursor, server)
        return [self._last(list(of)) for _, of in groupby(found, key=itemgetter("subject"))]

    def _last(self, recorded: list[Row]) -> Row:
        """The last one that exists; else the last one that was seen, or is not verified."""
        for backup in recorded:
            if backup["evidence"] and not is_gone(backup):
                return backup
        gone = (backup for backup in recorded if backup["evidence"] or backup["missing_since"])
        last = next(gone, recorded[0]) | {"value": None}
        named = "{subject}: {label} ({kind}) of {finished_at:%Y-%m-%d %H:%M %Z}".format(**last)
        if last["missing_since"]:
            seen = f"{last['missing_since']:%Y-%m-%d %H:%M %Z}"
            return last | {
                "level": "critical",
                "summary": f"{named} is gone: pgBackRest has not listed it since {seen}",
            }
        if last["evidence"]:
            return last | {"level": "critical", "summary": f"{named} is gone from {last['path']}"}
        return last | {"summary": f"{named} is not verified: nobody saw that it exists"}


class FailedBackups(Metric):
    group = "backup"
    name = "failed_backups"
    label = "Failed backups"
    help = "Backups that failed and were not followed by a successful one."
    sql = """
        SELECT concat_ws(' ', nullif(stanza, ''), label) AS subject, error, finished_at,
            extract(epoch FROM clock_timestamp() - finished_at) / 3600 AS value,
            'critical' AS level
        FROM backups b WHERE error <> '' AND NOT EXISTS (
            SELECT FROM backups good
            WHERE good.stanza = b.stanza AND good.error = '' AND good.evidence <> ''
                AND good.finished_at > b.finished_at)
        ORDER BY finished_at DESC LIMIT 5
    """
    summary = "{subject} failed at {finished_at:%Y-%m-%d %H:%M %Z}: {error}"
    fix = "Read the backup's log, then run it again"
    needs_table = "backups"


METRICS: list[type[Metric]] = [Archiving, LastBackup, FailedBackups]
