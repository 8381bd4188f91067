"""What statements did is told from differences; the server's own counters are never reset."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from monitoring.models import Snapshot, Statement, StatementActivity, TableSize
from monitoring.server import read_only_transaction
from monitoring.snapshots import forget_old_snapshots, take_snapshot
from monitoring.statements import Activity, Order, activity
from tenancy import all_tenants

pytestmark = pytest.mark.usefixtures("committed")
# An alias alone would not tell it from others: the server counts by shape.
MARK = "SELECT reverse(initcap(%s)) AS marked"


def call(times: int, value: str = "pn_secret") -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute(MARK, [value])


def marked(order: Order = Order.CALLS) -> list[Activity]:
    with read_only_transaction(reason="test") as cursor:
        return [row for row in activity(cursor, order=order) if "AS marked" in row.text]


def total() -> int:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute("SELECT sum(calls) FROM pg_stat_statements WHERE query ~ 'AS marked'")
        count: int = cursor.fetchone()[0]
        return count


def test_first_snapshot_counts_nothing_and_later_ones_the_difference() -> None:
    call(3)
    take_snapshot()
    with all_tenants("test"):
        assert not StatementActivity.objects.exists()
    call(200)
    take_snapshot()
    [row] = marked()
    assert (row.calls, row.rows, row.role) == (200, 200, "replytics_staff")
    assert row.total_ms > 0
    call(100)
    take_snapshot()
    [row] = marked()
    assert row.calls == 300
    assert total() >= 303  # nothing of the server's was reset


def test_no_value_of_a_statement_is_kept() -> None:
    take_snapshot()
    call(1)
    take_snapshot()
    with all_tenants("test"):
        texts = list(Statement.objects.values_list("text", flat=True))
    assert any("AS marked" in text for text in texts)
    assert not any("pn_secret" in text for text in texts)
    assert all(texts)


def test_counter_that_somebody_reset_begins_anew(administrator: Any) -> None:
    call(200)
    take_snapshot()
    # Of this database alone: tests beside this one count on theirs.
    administrator.execute(
        "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database"
        " WHERE datname = current_database()"
    )
    call(100)
    take_snapshot()
    [row] = marked()
    assert row.calls == 100


def test_statement_that_is_new_counts_from_its_first_call() -> None:
    take_snapshot()
    with all_tenants("test"), connection.cursor() as cursor:
        for _ in range(300):
            cursor.execute("SELECT upper(lower('new')) AS a_statement_that_is_new")
    take_snapshot()
    with all_tenants("test"):
        [row] = StatementActivity.objects.filter(statement__text__contains="that_is_new")
    assert row.calls == 300
    assert row.began_at < row.taken_at


def test_before_the_second_snapshot_the_server_itself_is_asked() -> None:
    call(5)
    with read_only_transaction(reason="test") as cursor:
        found = activity(cursor, order=Order.TOTAL)
        often = activity(cursor, order=Order.CALLS, min_calls=5)
    assert found[0].since is not None
    assert found == sorted(found, key=lambda row: -row.total_ms)
    assert often
    assert all(row.calls >= 5 for row in often)


def test_sizes_are_kept_once_an_hour_and_partitions_count_with_their_table() -> None:
    take_snapshot()
    take_snapshot()
    with all_tenants("test"):
        names = list(TableSize.objects.values_list("relation", flat=True))
        assert Snapshot.objects.count() == 2
    assert len(names) == len(set(names))
    assert "calls" in names


def test_old_snapshots_are_forgotten() -> None:
    old = timezone.now() - timedelta(days=60)
    call(1)
    take_snapshot()
    call(1)
    take_snapshot()
    with all_tenants("test"):
        StatementActivity.objects.update(taken_at=old)
        Snapshot.objects.update(taken_at=old)
        sizes = TableSize.objects.count()
        first = old.replace(hour=0, minute=5)
        TableSize.objects.update(taken_at=first)
        TableSize.objects.create(
            taken_at=first + timedelta(hours=5),
            relation="t",
            bytes=1,
            index_bytes=0,
            rows=1,
            dead_rows=0,
        )
        Statement.objects.create(
            queryid=1,
            role="gone",
            toplevel=True,
            calls=1,
            total_ms=1,
            rows=1,
            blocks_hit=1,
            blocks_read=1,
            temporary_blocks=1,
            wal_bytes=1,
        )
    forget_old_snapshots()
    with all_tenants("test"):
        assert not StatementActivity.objects.exists()
        assert not Snapshot.objects.exists()
        assert TableSize.objects.count() == sizes
        assert not Statement.objects.filter(role="gone").exists()
        assert Statement.objects.exists()  # the counters that the next difference needs
