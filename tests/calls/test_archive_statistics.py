"""A call counts the same wherever it is: moving it queues nothing and changes no number."""

from datetime import UTC, datetime
from io import StringIO

from django.core.management import call_command
from django.db import connection

from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from calls.models import Call
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, UNBOUNDED, make_old_calls, query

NUMBERS = """
SELECT md5(string_agg(numbers, ' ' ORDER BY numbers)) FROM (
    SELECT a::text FROM call_analytics a
    UNION ALL SELECT (to_jsonb(d) - 'created_at')::text FROM daily_call_stats d
) AS both_tables (numbers)
"""
QUEUED = "SELECT count(*) FROM rollup_queue"


def roll_up(*arguments: str) -> None:
    query(UNBOUNDED)
    call_command("roll_up_calls", *arguments, stdout=StringIO())


def test_archiving_queues_nothing_and_a_rebuild_finds_the_same(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_old_calls(line, 300)
    make_old_calls(other_line, 20)
    roll_up()
    numbers = query(NUMBERS)
    assert archive_calls(cut_off=CUT_OFF, started_by="test").calls == 320
    assert query(QUEUED) == [(0,)]
    roll_up("--rebuild")
    assert query(NUMBERS) == numbers
    since = datetime(2023, 1, 1, tzinfo=UTC)
    restore_calls(Choice(phone_id=line.pk, since=since, until=CUT_OFF), started_by="test")
    roll_up()
    assert query(NUMBERS) == numbers


def test_a_tenant_cannot_hide_a_deletion_from_the_statistics(line: PhoneNumber) -> None:
    make_old_calls(line, 3)
    roll_up()
    with tenant(line.pk), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.archiving', 'on', false)")
        try:
            Call.objects.all().delete()
        finally:
            cursor.execute("SELECT set_config('app.archiving', '', false)")
    assert query(QUEUED) == [(1,)]


def test_calls_moved_by_hand_are_queued(line: PhoneNumber) -> None:
    make_old_calls(line, 3)
    roll_up()
    query("SELECT app.create_archive_partitions('2023-06-01', '2023-07-01')")
    query(
        "WITH gone AS (DELETE FROM calls RETURNING *) INSERT INTO calls_archive SELECT * FROM gone"
    )
    assert query(QUEUED) == [(2,)]  # one hour, twice
