"""The worker, its jobs, and their backlogs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, connections

from analytics.models import StatsVerification
from calls.archival.cutoff import older_than
from calls.archival.models import ArchiveRun
from jobs.tasks import retry_stalled_jobs
from monitoring.findings import Finding, Level
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.factories import hold, make_call, make_line
from tests.worker import work

Find = Callable[[str], Finding]
pytestmark = pytest.mark.usefixtures("committed")


def execute(sql: str) -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(sql)


def owner(sql: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql)


def test_absent_and_silent_workers_are_named(finding: Find) -> None:
    assert finding("workers").level is Level.WARNING
    owner("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    assert finding("workers").level is Level.OK
    owner("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
    assert finding("workers").level is Level.CRITICAL


def test_late_failed_and_abandoned_jobs_are_named(finding: Find) -> None:
    names = {"late": "2 hours", "abandoned": "1 minute", "broken": "1 minute"}
    for name, ago in names.items():
        owner(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, scheduled_at)"
            f" VALUES ('{name}', 'default', now() - interval '{ago}')"
        )
    assert finding("waiting_jobs").level is Level.CRITICAL
    owner("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'abandoned'")
    owner("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = 'broken'")
    abandoned = finding("long_jobs")
    assert abandoned.level is Level.CRITICAL
    assert "its worker is gone" in abandoned.items[0].text
    failed = finding("failed_jobs")
    assert [(item.subject, item.value) for item in failed.items] == [("broken", 1.0)]


def test_job_whose_worker_was_killed_begins_again() -> None:
    """Until then it keeps its lock, and nothing of its kind would run."""
    owner(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour');"
        " INSERT INTO procrastinate_jobs (task_name, queue_name, lock, worker_id, status)"
        " SELECT 'analytics.tasks.roll_up_calls', 'default', 'roll_up_calls', id, 'doing'"
        " FROM procrastinate_workers"
    )
    retry_stalled_jobs.defer()
    work()
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute("SELECT task_name, status::text FROM procrastinate_jobs WHERE attempts = 2")
        assert cursor.fetchall() == [("analytics.tasks.roll_up_calls", "succeeded")]


def test_backlogs_are_named(finding: Find) -> None:
    line = make_line()
    assert finding("archive_backlog").level is Level.OK
    due = datetime.now(UTC) - timedelta(days=366 + 30)
    call = make_call(line, created_at=due, updated_at=due)
    waiting = finding("archive_backlog")
    assert waiting.level is Level.CRITICAL
    assert waiting.value == pytest.approx(30, abs=2)
    hold(call)
    assert finding("archive_backlog").level is Level.OK
    owner(
        "INSERT INTO rollup_queue (phone_id, bucket)"
        f" SELECT '{line.pk}', '2026-01-01Z' FROM generate_series(1, 10000)"
    )
    assert finding("rollup_backlog").level is Level.WARNING


def test_a_call_waits_for_the_archive_from_when_it_could_be_archived(finding: Find) -> None:
    line = make_line()
    long_ago = datetime.now(UTC) - timedelta(days=3 * 366)
    make_call(line, created_at=long_ago)  # as an import makes it
    imported = finding("archive_backlog")
    assert imported.value == pytest.approx(0, abs=0.1)
    make_call(line, created_at=long_ago, updated_at=long_ago)  # as a restore makes it
    assert finding("archive_backlog").level is Level.CRITICAL
    with all_tenants("test"):
        run = ArchiveRun.objects.create(
            kind="archive", state="done", started_by="test", cut_off=long_ago
        )
        ended = ArchiveRun.objects.filter(pk=run.pk)
        ended.update(ended_at=datetime.now(UTC) - timedelta(days=3))
    assert finding("archive_backlog").level is Level.CRITICAL, "of two years before the setting"
    with all_tenants("test"):
        ended.update(cut_off=older_than(settings.ARCHIVE_OLDER_THAN, now=datetime.now(UTC)))
    behind = finding("archive_backlog")
    assert behind.level is Level.WARNING
    assert behind.value == pytest.approx(3, abs=0.1)
    with all_tenants("test"):
        ended.update(remaining=1)
    assert finding("archive_backlog").level is Level.CRITICAL


def test_only_a_run_of_the_same_breadth_clears_a_failed_one(finding: Find) -> None:
    line = make_line()

    def run(state: str, phone: PhoneNumber | None = None, kind: str = "archive") -> None:
        with all_tenants("test"):
            ArchiveRun.objects.create(kind=kind, state=state, phone=phone, started_by="test")

    def bad() -> set[str]:
        return {item.subject for item in finding("archive_runs").items}

    run("failed")
    run("done", line)
    assert bad() == {"archive"}
    run("done")
    assert bad() == set()
    run("failed", line)
    assert bad() == {f"archive of {line.pk}"}
    run("done")
    assert bad() == set(), "a later run over all lines has moved what that one would have"
    run("failed", line, "restore")
    run("done", kind="restore")
    assert bad() == {f"restore of {line.pk}"}
    run("done", line, "restore")
    assert bad() == set()


def test_a_verified_sample_clears_no_difference(finding: Find) -> None:
    def verified(*, differences: int, is_sample: bool) -> None:
        StatsVerification.objects.create(
            started_at=datetime.now(UTC),
            finished_at=datetime.now(UTC),
            lines=1,
            is_sample=is_sample,
            difference_count=differences,
            differences=[],
        )

    def level() -> Level:
        return finding("statistics_verified").level

    with all_tenants("test"):
        verified(differences=0, is_sample=True)
        assert level() is Level.SKIPPED, "never over all lines"
        verified(differences=1, is_sample=False)
        verified(differences=0, is_sample=True)
        assert level() is Level.CRITICAL
        verified(differences=0, is_sample=False)
        assert level() is Level.OK
        verified(differences=1, is_sample=True)
        verified(differences=0, is_sample=True)
        assert level() is Level.CRITICAL, "a sample may add differences"
        verified(differences=0, is_sample=False)
        assert level() is Level.OK


def test_old_summary_and_wrong_statistics_are_named(finding: Find) -> None:
    assert finding("summary_age").level is Level.SKIPPED
    assert finding("statistics_verified").level is Level.SKIPPED
    owner(
        "INSERT INTO summary_refreshes (started_at, finished_at)"
        " VALUES (now() - interval '2 hours', now());"
        " INSERT INTO stats_verifications (started_at, finished_at, lines, difference_count,"
        " differences) VALUES (now(), now(), 1, 3, '[]')"
    )
    assert finding("summary_age").level is Level.WARNING
    assert finding("statistics_verified").level is Level.CRITICAL
