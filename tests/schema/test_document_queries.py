"""The schema document's own queries, letter for letter, on our schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection, connections, transaction

from analytics.summary import refresh_summary
from calls.archival.moving import archive_calls
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber, VoiceSettings
from tests.factories import make_call, make_line
from tests.schema.rawsql import fetch

PAGINATION = """
SELECT * FROM calls
WHERE phone_id = $1 AND created_at < $2
ORDER BY created_at DESC
LIMIT 20;
"""
DAILY_AGGREGATE = """
SELECT
  DATE_TRUNC('day', created_at) as date,
  COUNT(*) as total_calls,
  COUNT(*) FILTER (WHERE status = 'completed') as successful_calls
FROM calls
WHERE phone_id = $1 AND created_at >= $2
GROUP BY DATE_TRUNC('day', created_at)
ORDER BY date DESC;
"""
TENANT_JOIN = """
SELECT c.*, vs.voice_name
FROM calls c
JOIN voice_settings vs ON c.phone_id = vs.phone_id
WHERE c.phone_id = $1 AND c.status = 'completed'
ORDER BY c.created_at DESC;
"""
ARCHIVAL = """
WITH archived_calls AS (
  DELETE FROM calls
  WHERE created_at < NOW() - INTERVAL '1 year'
  RETURNING *
)
INSERT INTO calls_archive SELECT * FROM archived_calls;
"""
# Calls of few lines are cheaper picked out of all calls in the order of time.
MANY_CALLS = """
INSERT INTO phone_numbers (id, number, business_name)
SELECT 'pn_' || n, '+1415555' || 1000 + n, 'B' FROM generate_series(0, 199) AS n;
INSERT INTO calls (phone_id, caller_number, call_sid, status, created_at)
SELECT 'pn_' || n %% 200, '+1415555' || n %% 500, 'CA' || n,
    'completed', %s::timestamptz - n * interval '7 minutes' FROM generate_series(1, 20000) AS n
"""
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@contextmanager
def prepared(query: str) -> Iterator[None]:
    """The query with its $1 and $2, as the prepared statement `document`."""
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE document AS {query}")
        try:
            yield
        finally:
            cursor.execute("DEALLOCATE document")


def test_pagination_returns_the_page_before_a_time(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    calls = [make_call(line, created_at=NOON - timedelta(hours=n)) for n in range(25)]
    make_call(other_line, created_at=NOON - timedelta(hours=3))
    with tenant(line.id), prepared(PAGINATION):
        page = fetch("EXECUTE document(%s, %s)", line.id, NOON - timedelta(hours=2))
        assert [row["id"] for row in page] == [call.id for call in calls[3:23]]
        assert fetch("EXECUTE document(%s, %s)", other_line.id, NOON) == []


def test_pagination_reads_one_index_in_its_order(committed: None) -> None:
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(MANY_CALLS, [NOON])
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE calls")
    with tenant("pn_7"), prepared(PAGINATION):
        plan = fetch("EXPLAIN EXECUTE document(%s, %s)", "pn_7", NOON - timedelta(days=20))
    lines = [row["QUERY PLAN"] for row in plan]
    assert any("using idx_calls_phone_created on calls" in line for line in lines), lines
    assert not any("Sort" in line for line in lines), lines


def test_daily_aggregate_counts_the_days_of_a_line(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_call(line, created_at=NOON)
    make_call(line, created_at=NOON - timedelta(hours=12), status="failed")
    make_call(line, created_at=NOON - timedelta(hours=13))
    make_call(line, created_at=NOON - timedelta(days=9))
    make_call(other_line, created_at=NOON)
    with tenant(line.id), prepared(DAILY_AGGREGATE):
        days = fetch("EXECUTE document(%s, %s)", line.id, NOON - timedelta(days=5))
    today = NOON.replace(hour=0)
    assert days == [
        {"date": today, "total_calls": 2, "successful_calls": 1},
        {"date": today - timedelta(days=1), "total_calls": 1, "successful_calls": 1},
    ]


def test_tenant_join_adds_the_voice(line: PhoneNumber, other_line: PhoneNumber) -> None:
    first = make_call(line, created_at=NOON - timedelta(hours=1))
    second = make_call(line, created_at=NOON)
    make_call(line, status="ringing")
    make_call(other_line)
    with tenant(line.id):
        VoiceSettings.objects.create(voice_name="Nova")
        with prepared(TENANT_JOIN):
            joined = fetch("EXECUTE document(%s)", line.id)
    assert [(row["id"], row["voice_name"]) for row in joined] == [
        (second.id, "Nova"),
        (first.id, "Nova"),
    ]


def test_archival_moves_the_old_calls(
    line: PhoneNumber, other_line: PhoneNumber, staff_scope: None
) -> None:
    now = datetime.now(UTC)
    old = [
        make_call(line, created_at=now - timedelta(days=400), transcript="hello"),
        make_call(other_line, created_at=now - timedelta(days=430)),
    ]
    kept = make_call(line, created_at=now - timedelta(days=300))
    before = {call.id: fetch("SELECT * FROM calls WHERE id = %s", call.id)[0] for call in old}
    with connection.cursor() as cursor:
        cursor.execute(ARCHIVAL)
        assert cursor.rowcount == 2
    assert [row["id"] for row in fetch("SELECT id FROM calls")] == [kept.id]
    for archived in fetch("SELECT * FROM calls_archive"):
        call = before.pop(archived["id"])
        assert {name: archived[name] for name in call} == call
        assert (archived["metadata"], archived["tags"]) == ("{}", [])
    assert before == {}


def test_archival_without_partitions_loses_nothing(line: PhoneNumber, staff_scope: None) -> None:
    call = make_call(line, created_at=datetime(1999, 1, 1, tzinfo=UTC))
    with (
        pytest.raises(IntegrityError, match="no partition of relation"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(ARCHIVAL)
    assert [row["id"] for row in fetch("SELECT id FROM calls")] == [call.id]


@pytest.mark.parametrize("months", [13, 18, 24])
def test_archival_runs_on_a_fresh_system(
    line: PhoneNumber, staff_scope: None, months: int
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() - %s * interval '1 month'", [months])
        [ago] = cursor.fetchone()
        make_call(line, created_at=ago)
        cursor.execute(ARCHIVAL)
        assert cursor.rowcount == 1


def test_archival_runs_a_year_after_the_last_migration(committed: None) -> None:
    line = make_line()
    last_month = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"DROP TABLE calls_archive_{last_month:%Y_%m}")  # it came after
    archive_calls(cut_off=datetime(2001, 1, 1, tzinfo=UTC), started_by="test")
    with all_tenants("test"), transaction.atomic(), connection.cursor() as cursor:
        make_call(line, created_at=last_month)
        cursor.execute(ARCHIVAL.replace("1 year", "0 days"))
        assert cursor.rowcount == 1


def test_the_owner_reads_the_summary_of_every_line(committed: None) -> None:
    lines = [make_line(), make_line()]
    for each in lines:
        make_call(each)
    with all_tenants("test"):
        refresh_summary()
    at = connections["owner"].settings_dict
    with psycopg.connect(
        host=at["HOST"],
        port=at["PORT"],
        user=at["USER"],
        password=at["PASSWORD"],
        dbname=at["NAME"],
    ) as owner:
        found = owner.execute("SELECT phone_id FROM phone_performance_summary ORDER BY 1")
        assert found.fetchall() == sorted((each.pk,) for each in lines)
        counted = owner.execute("SELECT count(*) FROM calls").fetchone()
        assert counted == (2,)


@pytest.mark.parametrize("login", ["replytics_web", "replytics_api"])
def test_a_serving_login_reads_the_summary_of_its_line_alone(
    administrator: "psycopg.Connection", login: str
) -> None:
    for each in (make_line(id="pn_bakery"), make_line()):
        make_call(each)
    with all_tenants("test"):
        refresh_summary()
    with administrator.transaction():
        administrator.execute(f"SET LOCAL SESSION AUTHORIZATION {login}")
        with pytest.raises(psycopg.Error, match="no tenant"), administrator.transaction():
            administrator.execute("SELECT * FROM phone_performance_summary")
        administrator.execute("SELECT set_config('app.phone_id', 'pn_bakery', true)")
        rows = administrator.execute("SELECT phone_id FROM phone_performance_summary").fetchall()
    assert rows == [("pn_bakery",)]
