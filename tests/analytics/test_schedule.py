"""The worker does on its own what the commands do."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from analytics import tasks
from analytics.models import DailyCallStats, QueuedBucket, SummaryRefresh
from jobs.tasks import retry_stalled_jobs
from tenancy import all_tenants
from tests.factories import make_call, make_line
from tests.worker import work, work_until


def test_worker_rolls_up_refreshes_and_verifies(committed: None) -> None:
    make_call(make_line())
    tasks.roll_up_calls.defer()
    tasks.refresh_performance_summary.defer()
    work()
    with all_tenants("test"):
        assert not QueuedBucket.objects.exists()
        assert DailyCallStats.objects.get().total_calls == 1
        assert SummaryRefresh.objects.exists()
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status <> 'succeeded'")
        assert cursor.fetchall() == []


def test_a_second_run_of_a_job_does_not_wait_behind_a_waiting_one(committed: None) -> None:
    tasks.roll_up_calls.defer()
    with pytest.raises(AlreadyEnqueued):
        tasks.roll_up_calls.defer()


TWICE = """
SELECT task_name FROM procrastinate_jobs GROUP BY task_name, args HAVING count(*) > 1
"""
# What a worker leaves behind that was killed in its work.
KILL = """
WITH gone AS (
    INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')
    RETURNING id
)
UPDATE procrastinate_jobs SET status = 'doing', worker_id = gone.id FROM gone
WHERE procrastinate_jobs.id = %s
"""
QUEUE = """
INSERT INTO procrastinate_jobs (queue_name, task_name, lock)
SELECT 'default', %s, 'verify_stats' FROM generate_series(1, 6)
"""
# By the events' ids, which follow the order of the work; the moments are those of transactions.
OVERLAP = """
SELECT count(*) FROM procrastinate_jobs AS one JOIN procrastinate_jobs AS other
    ON other.lock = one.lock AND other.id > one.id
JOIN procrastinate_events AS ended ON ended.job_id = one.id AND ended.type = 'succeeded'
JOIN procrastinate_events AS began ON began.job_id = other.id AND began.type = 'started'
WHERE began.id < ended.id
"""


def rows(sql: str, *values: int | str) -> list[tuple[Any, ...]]:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def states() -> dict[int, str]:
    return dict(rows("SELECT id, status::text FROM procrastinate_jobs"))


def ended_well() -> list[str]:
    """The task of each job that succeeded."""
    ended = rows("SELECT task_name FROM procrastinate_jobs WHERE status = 'succeeded'")
    return [name for (name,) in ended]


def test_each_missed_run_is_caught_up_once(committed: None) -> None:
    """No worker was up at any of the times; then one begins, and another after it."""
    schedule = [task.task.name for task in app.periodic_registry.periodic_tasks.values()]
    assert len(schedule) == len(settings.SCHEDULE)
    work_until(lambda: {*ended_well()} == {*schedule})
    # The last that a worker looks at: it has looked at the others before that is caught up.
    rows("DELETE FROM procrastinate_periodic_defers WHERE task_name = %s", schedule[-1])
    work_until(lambda: ended_well().count(schedule[-1]) == 2)
    assert {name for (name,) in rows(TWICE)} <= {schedule[-1]}


@pytest.mark.soak
def test_two_workers_never_run_the_same_job_at_once(committed: None) -> None:
    """Six runs wait at once, which their queueing lock would prevent."""
    rows(QUEUE, tasks.verify_statistics.name)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: work(), range(2)))
    [(runs,)] = rows(
        "SELECT count(*) FROM procrastinate_jobs"
        " WHERE lock = 'verify_stats' AND status = 'succeeded'"
    )
    assert runs >= 6
    assert rows(OVERLAP) == [(0,)]


@pytest.mark.soak
def test_a_job_whose_worker_was_killed_begins_again_beside_the_next(committed: None) -> None:
    killed = tasks.roll_up_calls.defer()
    rows(KILL, killed)
    waiting = tasks.roll_up_calls.defer()
    retry_stalled_jobs.defer()
    work()
    work()
    assert (states()[killed], states()[waiting]) == ("succeeded", "succeeded")


@pytest.mark.soak
def test_the_job_that_frees_others_is_freed_itself(committed: None) -> None:
    """Its worker was killed too: it holds no lock for which its next run would wait."""
    killed, healer = tasks.roll_up_calls.defer(), retry_stalled_jobs.defer()
    rows(KILL, killed)
    rows(KILL, healer)
    retry_stalled_jobs.defer()
    work()
    work()
    assert (states()[killed], states()[healer]) == ("succeeded", "succeeded")


def test_a_job_that_fails_is_tried_again_beside_the_next(
    committed: None,
) -> None:
    """Most often the next one waits by then: the roll-up runs every minute."""
    failing = tasks.roll_up_calls.defer()
    rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", failing)
    waiting = tasks.roll_up_calls.defer()
    app.job_manager.retry_job_by_id(failing, timezone.now())
    work()
    assert (states()[failing], states()[waiting]) == ("succeeded", "succeeded")
