"""The roll-up beside other writers, other roll-ups and what may happen to a line."""

import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from analytics.models import CallAnalytics, DailyCallStats, QueuedBucket
from analytics.rollups import requeue, roll_up
from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.factories import make_call, make_line

NOON = datetime(2024, 5, 6, 12, 30, tzinfo=UTC)


def test_concurrent_writers_and_rollups_miss_no_call(committed: None) -> None:
    line = make_line()
    writing = threading.Event()
    writing.set()

    def write(n: int) -> None:
        for minute in range(60):
            make_call(line, created_at=NOON + timedelta(hours=n % 2, seconds=minute))
        connection.close()

    def roll() -> None:
        while writing.is_set():
            with all_tenants("test"):
                roll_up(batch_hours=1)
        connection.close()

    writers = [threading.Thread(target=write, args=[n]) for n in range(4)]
    rollers = [threading.Thread(target=roll) for _ in range(3)]
    for thread in writers + rollers:
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in rollers:
        thread.join()
    with all_tenants("test"):
        roll_up()
        assert not QueuedBucket.objects.exists()
        assert sorted(CallAnalytics.objects.values_list("total_calls", flat=True)) == [120, 120]
        assert DailyCallStats.objects.get().total_calls == 240


def test_rollup_leaves_a_line_to_the_rollup_that_has_it(committed: None) -> None:
    line = make_line()
    make_call(line, created_at=NOON)
    skipped = []

    def second() -> None:
        with all_tenants("test"):
            skipped.append(roll_up().skipped_lines)
        connection.close()

    with all_tenants("test"), transaction.atomic():
        roll_up()
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert skipped == [1]


def test_an_update_of_the_transcript_queues_nothing(line: PhoneNumber, staff_scope: None) -> None:
    make_call(line, created_at=NOON)
    roll_up()
    Call.objects.update(transcript="hello")
    assert not QueuedBucket.objects.exists()


def test_a_deleted_line_leaves_nothing_in_the_queue(line: PhoneNumber, staff_scope: None) -> None:
    make_call(line, created_at=NOON)
    roll_up()
    line.delete()
    roll_up()
    assert not QueuedBucket.objects.exists()
    assert not CallAnalytics.objects.exists()


def test_durations_beyond_the_columns_do_not_stop_the_rollup(
    line: PhoneNumber, staff_scope: None
) -> None:
    for _ in range(2):
        make_call(line, created_at=NOON, duration=2_147_483_647)
    roll_up()
    assert CallAnalytics.objects.get().total_duration == 2 * 2_147_483_647
    assert DailyCallStats.objects.get().total_duration == 2_147_483_647


def test_rebuild_repairs_what_was_tampered_with(
    line: PhoneNumber, other_line: PhoneNumber, staff_scope: None
) -> None:
    for owner in (line, other_line):
        make_call(owner, created_at=NOON)
    roll_up()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE call_analytics SET total_calls = 7")
        cursor.execute("UPDATE daily_call_stats SET total_calls = 7")
        cursor.execute(
            "INSERT INTO daily_call_stats (phone_id, date) VALUES (%s, '2024-05-01')", [line.pk]
        )
    requeue(phone_id=line.pk, since=NOON - timedelta(days=9), until=NOON + timedelta(days=1))
    roll_up()
    with tenant(line.pk):
        assert [row.total_calls for row in CallAnalytics.objects.all()] == [1]
        assert [row.total_calls for row in DailyCallStats.objects.all()] == [1]
    with tenant(other_line.pk):
        assert [row.total_calls for row in CallAnalytics.objects.all()] == [7]


def test_command_rebuilds_and_reports(line: PhoneNumber) -> None:
    make_call(line, created_at=NOON)
    out = StringIO()
    call_command("roll_up_calls", "--rebuild", stdout=out)
    assert out.getvalue() == "Rolled up 1 hour of 1 line: 1 call.\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--batch-hours", "0"], "of at least 1"),
        (["--since", "2024-01-01"], "require --rebuild"),
        (["--phone-id", "nobody"], 'Line "nobody" not found'),
        (["--since", "yesterday", "--rebuild"], "'yesterday' is not a time"),
        (["--rebuild", "--since=2024-01-02", "--until=2024-01-01"], "before --until"),
    ],
)
def test_command_refuses_nonsense(db: None, arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("roll_up_calls", *arguments)
