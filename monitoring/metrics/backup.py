"""Whether the data could be had back."""

from monitoring.metrics.base import Metric


class Archiving(Metric):
    group = "backup"
    name = "wal_archiving"
    label = "Archiving of WAL"
    help = "Minutes since the last segment was archived, and whether the archive command fails."
    sql = """
        SELECT 'archive' AS subject, archived_count, failed_count, last_failed_wal,
            extract(epoch FROM clock_timestamp() - last_archived_time) / 60 AS value,
            CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')
                THEN 'critical' WHEN last_archived_time IS NULL THEN 'unknown' END AS level,
            CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')
                THEN 'fails since ' || last_failed_wal
                WHEN last_archived_time IS NULL THEN 'has archived nothing yet'
                ELSE 'archived last at ' || to_char(last_archived_time, 'YYYY-MM-DD HH24:MI:SS OF')
            END AS what
        FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'
    """
    says = "the archive command {what}, {archived_count} segments, {failed_count} failures"
    fix = "Read the server's log for what the archive command says; WAL piles up meanwhile"
    unit = "minutes"
    warning, critical = 60, 360
    shows_good = True
    empty = (
        "archive_mode is off: this server cannot be restored to a point in time by its archive; a"
        " managed server may take care of that itself"
    )


class LastBackup(Metric):
    group = "backup"
    name = "last_backup"
    label = "Last good backup"
    help = "Hours since the last backup ended well, as manage.py record_backup was told."
    sql = """
        SELECT coalesce(nullif(stanza, ''), 'backup') AS subject, kind, label, finished_at,
            extract(epoch FROM clock_timestamp() - finished_at) / 3600 AS value
        FROM (SELECT DISTINCT ON (stanza) * FROM backups WHERE error = ''
              ORDER BY stanza, finished_at DESC) AS latest
    """
    says = (
        "{subject}: the last good one, {label} ({kind}), ended at {finished_at:%Y-%m-%d %H:%M %Z}"
    )
    fix = "Run the backup by hand and read what it says"
    unit = "h"
    warning, critical = 26, 50
    needs_table = "backups"
    shows_good = True
    empty = (
        "no backup was recorded; from cron after each backup:"
        " pgbackrest info --output=json | manage.py record_backup"
    )


class FailedBackups(Metric):
    group = "backup"
    name = "failed_backups"
    label = "Failed backups"
    help = "Backups that ended badly and were not followed by a good one."
    sql = """
        SELECT concat_ws(' ', nullif(stanza, ''), label) AS subject, error, finished_at,
            extract(epoch FROM clock_timestamp() - finished_at) / 3600 AS value,
            'critical' AS level
        FROM backups b WHERE error <> '' AND NOT EXISTS (
            SELECT FROM backups good
            WHERE good.stanza = b.stanza AND good.error = '' AND good.finished_at > b.finished_at)
        ORDER BY finished_at DESC LIMIT 5
    """
    says = "{subject} failed at {finished_at:%Y-%m-%d %H:%M %Z}: {error}"
    fix = "Read the backup's own log and run it again"
    needs_table = "backups"


METRICS: list[type[Metric]] = [Archiving, LastBackup, FailedBackups]
