"""The jobs of the worker in the admin: to look at, and to begin again with the right to."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, connections
from django.test import Client
from procrastinate.contrib.django import app

from analytics import tasks
from jobs.models import JobFailure
from jobs.tasks import forget_jobs
from monitoring.delivery import deliver_notice
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.worker import work

URL = "/admin/jobs/job/"
SECRET = "+14155559876"


def jobs(status: str) -> list[int]:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE status = %s", [status])
        return [key for (key,) in cursor.fetchall()]


def end(job: int, status: str, ago: str = "0 days") -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', attempts = 4 WHERE id = %s", [job]
        )
        cursor.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", [status, job])
        cursor.execute(
            "UPDATE procrastinate_events SET at = now() - %s::interval WHERE job_id = %s",
            [ago, job],
        )


@pytest.fixture
def failed(db: None) -> int:
    """A roll-up that failed for good, with a number in its arguments that is not to be seen."""
    job = app.configure_task(tasks.roll_up_calls.name, queueing_lock="roll_up_calls").defer(
        timestamp=1_775_000_000, caller=SECRET
    )
    end(job, "failed")
    with all_tenants("test"):
        JobFailure.objects.create(job_id=job, error="OperationalError", place="a.py:1 in f")
    return int(job)


@pytest.fixture
def agent(support_agent: User, client: Client) -> Client:
    client.force_login(support_agent)
    return client


def allow(agent: Client, *rights: str) -> None:
    user = User.objects.get(username="agent")
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))


def act(client: Client, action: str, job: int) -> None:
    client.post(URL, {"action": action, "_selected_action": [str(job)]})


def test_a_failed_job_says_what_failed_and_when(failed: int, back_office: Client) -> None:
    for page in (back_office.get(URL), back_office.get(f"{URL}{failed}/change/")):
        text = page.content.decode()
        assert "roll_up_calls" in text
        assert "OperationalError" in text
        assert "a.py:1 in f" in text
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", text)
        assert SECRET not in text
    assert "caller: hidden, scheduled for 2026-03-31 23:33:20 UTC" in text
    assert 'name="_save"' not in text


def test_jobs_are_narrowed_by_status_and_task(failed: int, back_office: Client) -> None:
    tasks.refresh_performance_summary.defer()

    def found(**query: str) -> list[str]:
        return [job.task_name for job in listed(back_office, URL, query).result_list]

    roll_up, refresh = tasks.roll_up_calls.name, tasks.refresh_performance_summary.name
    assert found() == [refresh, roll_up]
    assert found(status="failed") == [roll_up]
    assert found(status="nonsense") == []
    assert found(task_name=refresh) == [refresh]
    assert found(task_name="nonsense") == []


def test_one_who_may_look_may_not_begin_jobs_again(failed: int, agent: Client) -> None:
    assert agent.get(URL).status_code == 403
    allow(agent, "view_job")
    assert [job.pk for job in listed(agent, URL).result_list] == [failed]
    assert "retry_failed" not in agent.get(URL).content.decode()
    for action in ("retry_failed", "cancel_waiting", "retry", "abort", "delete_selected"):
        act(agent, action, failed)
    assert agent.post(f"{URL}{failed}/change/", {}).status_code == 403
    assert agent.post(f"{URL}{failed}/delete/", {"post": "yes"}).status_code == 403
    assert jobs("failed") == [failed]


def test_who_may_change_jobs_begins_failed_ones_again(failed: int, agent: Client) -> None:
    allow(agent, "view_job", "change_job")
    assert agent.get(f"{URL}{failed}/delete/").status_code == 403
    act(agent, "retry_failed", failed)
    assert jobs("todo") == [failed]
    act(agent, "cancel_waiting", failed)
    assert jobs("cancelled") == [failed]
    act(agent, "retry_failed", failed)
    assert jobs("cancelled") == [failed]


def test_a_job_does_not_begin_again_beside_one_that_waits(
    failed: int, back_office: Client
) -> None:
    queue: Any = tasks.roll_up_calls
    waiting = queue.defer(timestamp=1_775_000_060, caller=SECRET)
    page: Any = back_office.post(
        URL, {"action": "retry_failed", "_selected_action": [str(failed)]}, follow=True
    )
    assert "1 job not retried: the same job is already queued" in page.content.decode()
    assert (jobs("failed"), jobs("todo")) == ([failed], [waiting])


def test_a_job_with_other_arguments_does_not_stand_in_the_way(
    db: None, back_office: Client
) -> None:
    failed, waiting = deliver_notice.defer(notice=1), deliver_notice.defer(notice=2)
    end(failed, "failed")
    act(back_office, "retry_failed", failed)
    assert sorted(jobs("todo")) == [failed, waiting]


def test_jobs_are_shown_inside_a_line_too(
    failed: int, back_office: Client, line: PhoneNumber
) -> None:
    pick(back_office, line)
    assert "OperationalError" in back_office.get(URL).content.decode()
    assert "OperationalError" in back_office.get(f"{URL}{failed}/change/").content.decode()


def test_a_failure_is_kept_without_what_it_says_and_tried_again(committed: None) -> None:
    """The view that the job refreshes is gone: a failure as one comes in production."""
    with connections["owner"].cursor() as owner:
        owner.execute("ALTER FUNCTION app.refresh_phone_performance_summary() RENAME TO gone")
        try:
            job = tasks.refresh_performance_summary.defer()
            work()
        finally:
            owner.execute("ALTER FUNCTION app.gone() RENAME TO refresh_phone_performance_summary")
    with all_tenants("test"):
        # It is due again after six seconds, which a slow worker may still be there to see.
        failure, *again = JobFailure.objects.filter(job=job).order_by("id")
    assert {each.error for each in again} <= {failure.error}
    assert failure.error == "ProgrammingError (UndefinedFunction)"
    assert re.fullmatch(r"analytics/summary\.py:\d+ in refresh_summary", failure.place)
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute("SELECT type::text FROM procrastinate_events WHERE job_id = %s", [job])
        assert ("deferred_for_retry",) in cursor.fetchall()
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE id = %s", [job])
    work()
    assert job in jobs("succeeded")


def test_jobs_that_ended_long_ago_are_forgotten_with_their_failures(committed: None) -> None:
    old = {}
    for status in ("succeeded", "failed", "cancelled", "aborted"):
        old[status] = app.configure_task("old").defer()
        end(old[status], status, ago="15 days")
    with all_tenants("test"):
        JobFailure.objects.create(job_id=old["failed"], error="ValueError", place="")
    recent = app.configure_task("recent").defer()
    end(recent, "failed", ago="13 days")
    forget_jobs.defer()
    work()
    assert jobs("failed") == [recent]
    assert not {*old.values()} & {*jobs("succeeded"), *jobs("cancelled"), *jobs("aborted")}
    with all_tenants("test"):
        assert not JobFailure.objects.exists()
