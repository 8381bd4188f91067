"""The worker does on its own what the commands do."""

import pytest
from django.db import connection
from procrastinate.exceptions import AlreadyEnqueued

from analytics import tasks
from analytics.models import DailyCallStats, QueuedBucket, SummaryRefresh
from tenants.scoping import all_tenants
from tests.factories import make_call, make_line
from tests.worker import work


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
