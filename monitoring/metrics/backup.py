"""Whether the data can be restored."""

from monitoring.metrics.base import Metric


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
    group = "backup"
    name = "last_backup"
    label = "Last successful backup"
    help = "Hours since the last successful backup recorded with manage.py record_backup."
    sql = """
        SELECT coalesce(nullif(stanza, ''), 'backup') AS subject, kind, label, finished_at,
            extract(epoch FROM clock_timestamp() - finished_at) / 3600 AS value
        FROM (SELECT DISTINCT ON (stanza) * FROM backups WHERE error = ''
              ORDER BY stanza, finished_at DESC) AS latest
    """
    summary = (
        "{subject}: the last successful one, {label} ({kind}), finished at"
        " {finished_at:%Y-%m-%d %H:%M %Z}"
    )
    fix = "Run the backup by hand and read its output"
    unit = "h"
    warning, critical = 26, 50
    needs_table = "backups"
    lists_ok = True
    empty = (
        "no backup has been recorded; run from cron after each backup:"
        " pgbackrest info --output=json | manage.py record_backup"
    )


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
            WHERE good.stanza = b.stanza AND good.error = '' AND good.finished_at > b.finished_at)
        ORDER BY finished_at DESC LIMIT 5
    """
    summary = "{subject} failed at {finished_at:%Y-%m-%d %H:%M %Z}: {error}"
    fix = "Read the backup's log, then run it again"
    needs_table = "backups"


METRICS: list[type[Metric]] = [Archiving, LastBackup, FailedBackups]
