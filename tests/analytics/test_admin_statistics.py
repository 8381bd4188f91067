"""The views behind the admin's statistics hold what the tables behind them hold."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client

from analytics.models import CallAnalyticsRow, DailyCallStatsRow, PhonePerformance
from tenancy import all_tenants, tenant
from tenancy.readonly import ReadOnlyTable
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.factories import make_call, make_line

VIEWS = {"daily_call_stats_rows": "daily_call_stats", "call_analytics_rows": "call_analytics"}


@pytest.fixture
def statistics(line: PhoneNumber, other_line: PhoneNumber) -> None:
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO daily_call_stats (phone_id, date, total_calls, average_duration)
            SELECT id, '2026-05-01', 7, 12.5 FROM phone_numbers;
            INSERT INTO call_analytics (phone_id, date_bucket, total_calls)
            SELECT id, '2026-05-01 13:00+00', 7 FROM phone_numbers;
            """
        )


@pytest.mark.parametrize("model", [DailyCallStatsRow, CallAnalyticsRow])
def test_rows_are_those_of_the_scope(model: Any, statistics: None, line: PhoneNumber) -> None:
    table = model._meta.db_table
    with tenant(line.pk), connection.cursor() as cursor:
        cursor.execute(f"SELECT phone_id FROM {table}")
        assert cursor.fetchall() == [(line.pk,)]
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (2,)


@pytest.mark.parametrize("view", VIEWS)
def test_without_a_scope_the_view_raises(view: str, statistics: None) -> None:
    with connection.cursor() as cursor, pytest.raises(Exception, match="no tenant is active"):
        cursor.execute(f"SELECT * FROM {view}")


@pytest.mark.parametrize("view", VIEWS)
def test_the_view_has_every_column_of_its_table(view: str, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
            WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
            """,
            [view],
        )
        of_view = set(cursor.fetchall())
        cursor.execute(
            """
            SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
            WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
            """,
            [VIEWS[view]],
        )
        assert of_view == set(cursor.fetchall()) | {("key", "text")}


@pytest.mark.parametrize("view", VIEWS)
def test_staff_processes_may_read_and_nobody_may_write(view: str, db: None) -> None:
    with connection.cursor() as cursor:
        for role, may in (
            ("replytics_web", True),
            ("replytics_staff", True),
            ("replytics_api", False),  # no endpoint reads these
            ("pg_monitor", False),
        ):
            cursor.execute(
                "SELECT has_table_privilege(%s, %s, 'SELECT'),"
                " has_table_privilege(%s, %s, 'INSERT, UPDATE, DELETE')",
                [role, view, role, view],
            )
            assert cursor.fetchone() == (may, False)


def test_rows_are_not_written_through_the_orm(statistics: None, staff_scope: None) -> None:
    with pytest.raises(ReadOnlyTable, match="roll_up_calls"):
        DailyCallStatsRow.objects.update(total_calls=0)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("/admin/analytics/dailycallstatsrow/", "pn_5Fbakery~2026-05-01"),
        ("/admin/analytics/callanalyticsrow/", "pn_5Fbakery~2026-05-01T13"),
    ],
)
def test_a_row_is_found_by_its_key(
    url: str, key: str, statistics: None, back_office: Client
) -> None:
    assert listed(back_office, url).result_list[0].pk
    assert f"{url}{key}/change/" in back_office.get(url).content.decode()
    page = back_office.get(f"{url}{key}/change/")
    assert page.status_code == 200
    assert "7 calls" in page.content.decode()
    for other in (key.replace("05-01", "05-02"), "pn_5Fbakery", "x~y", "~", "%00~2026-05-01"):
        assert back_office.get(f"{url}{other}/change/").status_code == 302


def test_last_30_days_are_shown_and_confined(committed: None) -> None:
    user = User.objects.create_superuser("root", password="correct horse")
    for line in (make_line(id="pn_bakery"), make_line(id="pn_garage")):
        make_call(line)
    with connections["owner"].cursor() as cursor:
        cursor.execute("REFRESH MATERIALIZED VIEW mv.phone_performance_summary")
    client = Client()
    client.force_login(user)
    url = "/admin/analytics/phoneperformance/"
    rows = listed(client, url).result_list
    assert {row.pk for row in rows} == {"pn_bakery", "pn_garage"}
    assert "100.0%" in client.get(url).content.decode()
    assert client.get(f"{url}pn_5Fgarage/change/").status_code == 200
    pick(client, PhoneNumber(pk="pn_bakery"))
    rows = listed(client, url).result_list
    assert [row.pk for row in rows] == ["pn_bakery"]
    assert client.get(f"{url}pn_5Fgarage/change/").status_code == 302
    with all_tenants("test"), pytest.raises(ReadOnlyTable):
        PhonePerformance.objects.all().delete()
