"""Each fault that an operator must hear of is planted, and named."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connections
from django.utils import timezone
from pytest_django.fixtures import Settings

from monitoring.findings import Finding, Level
from monitoring.models import DatabaseReport
from monitoring.report import examine, save_report
from tenancy import all_tenants
from tests.monitoring.conftest import Connect, Execute

Find = Callable[[str], Finding]
ROWS = "SELECT n AS id, n % 7 AS kind, repeat('x', 100) AS note FROM generate_series(1, {}) AS n"


def subjects(finding: Finding) -> list[str]:
    return [item.subject for item in finding.items if not item.accepted]


@pytest.fixture
def impatient(settings: Settings) -> None:
    """Thresholds of no time: what is there at all is named."""
    names = ("idle_in_transaction", "long_transactions", "long_statements", "blocked_sessions")
    settings.MONITORING_THRESHOLDS = dict.fromkeys(names, (0.0, 3600.0))


@pytest.mark.usefixtures("impatient")
def test_idle_transaction_is_named(connect: Connect, finding: Find) -> None:
    session = connect(name="forgetful")
    session.execute("BEGIN")
    session.execute("SELECT set_config('app.phone_id', 'pn_bakery', true), '+14155550123'")
    found = finding("idle_in_transaction")
    [item] = found.items
    pid = session.info.backend_pid
    assert found.level is Level.WARNING
    assert item.subject == f"process {pid}, replytics_web, forgetful"
    assert f"pg_terminate_backend({pid})" in item.fix
    assert "4155550123" not in item.text
    assert f"process {pid}" in subjects(finding("long_transactions"))[0]
    session.execute("COMMIT")
    assert finding("idle_in_transaction").level is Level.OK


@pytest.fixture
def blocked(
    connect: Connect, planted: Execute
) -> Iterator[tuple["psycopg.Connection[Any]", "psycopg.Connection[Any]"]]:
    """A session that holds a lock, and one that waits for it."""
    planted("CREATE TABLE planted.shelf (id int)")
    holder, waiter = connect("owner", name="holder"), connect("owner", name="waiter")
    holder.execute("BEGIN; LOCK TABLE planted.shelf")
    waiting = threading.Thread(
        target=lambda: waiter.execute("SELECT 'a secret' FROM planted.shelf")
    )
    waiting.start()
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
    while holder.execute(waits, [waiter.info.backend_pid]).fetchone() == (0,):
        pass
    yield holder, waiter
    holder.execute("ROLLBACK")
    waiting.join()


@pytest.mark.usefixtures("impatient")
def test_blocked_and_blocker_are_named(
    blocked: tuple["psycopg.Connection[Any]", "psycopg.Connection[Any]"], finding: Find
) -> None:
    holder, waiter = (session.info.backend_pid for session in blocked)
    [item] = finding("blocked_sessions").items
    assert item.subject == f"process {waiter}, replytics_owner"
    assert "AccessShareLock on planted.shelf" in item.text
    assert f"held by process {holder} replytics_owner holder idle in transaction" in item.text
    assert f"pg_terminate_backend({holder})" in item.fix
    assert "secret" not in item.text
    assert f"process {waiter}" in subjects(finding("long_statements"))[0]


def test_connection_pressure_is_named(connect: Connect, finding: Find, settings: Settings) -> None:
    settings.MONITORING_THRESHOLDS = {"connections": (30.0, 99.0)}
    for _ in range(30):
        connect()
    found = finding("connections")
    assert found.level is Level.WARNING
    assert found.value is not None
    assert found.value >= 30
    assert "of replytics_web" in found.items[0].text


def test_invalid_index_is_named(planted: Execute, finding: Find) -> None:
    planted(f"CREATE TABLE planted.t AS {ROWS.format(20)}")
    with pytest.raises(DatabaseError, match="could not create unique index"):
        planted("CREATE UNIQUE INDEX CONCURRENTLY broken ON planted.t (kind)")
    found = finding("invalid_indexes")
    assert found.level is Level.CRITICAL
    assert subjects(found) == ["planted.broken"]
    assert "DROP INDEX CONCURRENTLY planted.broken" in found.items[0].fix
    planted("DROP INDEX CONCURRENTLY planted.broken")
    assert finding("invalid_indexes").level is Level.OK


@pytest.fixture
def any_size(settings: Settings) -> None:
    names = ("unused_indexes", "redundant_indexes", "foreign_keys_without_index")
    settings.MONITORING_THRESHOLDS = dict.fromkeys(names, (0.0, None))
    settings.MONITORING_STATISTICS_DAYS = 0


@pytest.mark.usefixtures("any_size")
def test_unused_duplicate_and_redundant_indexes_are_named(planted: Execute, finding: Find) -> None:
    planted("CREATE TABLE planted.t (id int PRIMARY KEY, kind int, note text)")
    planted(f"INSERT INTO planted.t {ROWS.format(2000)}")
    planted("CREATE INDEX used ON planted.t (note)")
    planted("CREATE INDEX first ON planted.t (kind, note)")
    planted("CREATE INDEX second ON planted.t (kind, note)")
    planted("CREATE INDEX short ON planted.t (kind)")
    planted("CREATE INDEX other_order ON planted.t (kind DESC)")
    planted("CREATE INDEX partial ON planted.t (kind) WHERE id > 5")
    planted("ANALYZE planted.t; SET enable_seqscan = off; SET enable_bitmapscan = off")
    planted("SELECT * FROM planted.t WHERE note = 'x'")
    planted("RESET enable_seqscan; RESET enable_bitmapscan; SELECT pg_stat_force_next_flush()")
    planted("SELECT 1")
    ours = [name for name in subjects(finding("unused_indexes")) if name.startswith("planted.")]
    assert "planted.used" not in ours
    assert "planted.t_pkey" not in ours
    assert {"planted.first", "planted.second", "planted.short"} <= set(ours)
    duplicates = finding("duplicate_indexes")
    assert subjects(duplicates) == ["planted.second"]
    assert "the same as planted.first" in duplicates.items[0].text
    redundant = finding("redundant_indexes")
    assert [name for name in subjects(redundant) if "planted" in name] == ["planted.short"]


@pytest.mark.usefixtures("any_size")
def test_foreign_key_without_index_is_named(planted: Execute, finding: Find) -> None:
    planted("CREATE TABLE planted.shelf (id int PRIMARY KEY)")
    planted("CREATE TABLE planted.box (shelf int REFERENCES planted.shelf)")
    planted("CREATE TABLE planted.tin (shelf int REFERENCES planted.shelf)")
    planted("CREATE INDEX ON planted.tin (shelf)")
    found = finding("foreign_keys_without_index")
    [item] = [item for item in found.items if not item.accepted]
    assert item.subject == "planted.box.box_shelf_fkey"
    assert "starts with shelf" in item.fix


def test_bloat_of_table_and_index_is_named(planted: Execute, finding: Find) -> None:
    for name in ("bloated", "dense"):
        planted(
            f"CREATE TABLE planted.{name} WITH (autovacuum_enabled = false)"
            f" AS {ROWS.format(100_000)}"
        )
        planted(f"GRANT SELECT ON planted.{name} TO replytics_staff")
    planted("CREATE INDEX bloated_note ON planted.bloated (id, note)")
    planted("CREATE INDEX dense_note ON planted.dense (id, note)")
    planted("DELETE FROM planted.bloated WHERE id % 10 <> 0")
    with connections["owner"].cursor() as cursor:
        dead = 1
        while dead:  # an ANALYZE of another table keeps dead rows while it runs
            cursor.execute("VACUUM ANALYZE planted.bloated")
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute(
                "SELECT n_dead_tup FROM pg_stat_user_tables"
                " WHERE relid = 'planted.bloated'::regclass"
            )
            [dead] = cursor.fetchone()
    planted("VACUUM ANALYZE planted.dense")
    table, index = finding("table_bloat"), finding("index_bloat")
    assert subjects(table) == ["planted.bloated"]
    assert table.level is Level.CRITICAL
    assert table.items[0].value == pytest.approx(90, abs=5)
    assert subjects(index) == ["planted.bloated_note"]
    assert index.items[0].value == pytest.approx(90, abs=5)


def test_table_that_staff_may_not_read_is_unknown(planted: Execute, finding: Find) -> None:
    planted(f"CREATE TABLE planted.private AS {ROWS.format(100_000)}")
    found = finding("table_bloat")
    assert found.level is Level.UNKNOWN
    assert "staff may not read planted.private" in found.items[0].text


def test_dead_rows_and_stale_statistics_are_named(planted: Execute, finding: Find) -> None:
    planted(f"CREATE TABLE planted.t WITH (autovacuum_enabled = false) AS {ROWS.format(100_000)}")
    planted("DELETE FROM planted.t WHERE id <= 60000")
    planted("SELECT pg_stat_force_next_flush()")
    planted("SELECT 1")
    dead = finding("dead_rows")
    assert subjects(dead) == ["planted.t"]
    assert dead.level is Level.CRITICAL
    assert "last vacuumed: never" in dead.items[0].text
    assert "planted.t" in subjects(finding("stale_planner_statistics"))


def test_what_autovacuum_is_about_to_mend_is_not_critical(
    administrator: "psycopg.Connection[Any]", planted: Execute, finding: Find
) -> None:
    administrator.execute("ALTER SYSTEM SET autovacuum_naptime = '1h'")
    administrator.execute("SELECT pg_reload_conf()")
    try:
        planted(f"CREATE TABLE planted.t AS {ROWS.format(100_000)}")
        planted("ANALYZE planted.t; UPDATE planted.t SET kind = 0")
        planted("UPDATE planted.t SET kind = 1; UPDATE planted.t SET kind = 2")
        planted("SELECT pg_stat_force_next_flush()")
        planted("SELECT 1")
        report = examine()
        for metric in ("dead_rows", "stale_planner_statistics"):
            [found] = [finding for finding in report.findings if finding.metric == metric]
            [item] = [item for item in found.items if item.subject == "planted.t"]
            assert item.level is Level.WARNING
            assert item.text.endswith("autovacuum may still mend it")
        save_report(report)
        with all_tenants("test"):  # it had its time
            DatabaseReport.objects.update(taken_at=timezone.now() - timedelta(minutes=30))
        assert finding("dead_rows").level is Level.CRITICAL
        assert finding("stale_planner_statistics").level is Level.CRITICAL
    finally:
        administrator.execute("ALTER SYSTEM RESET autovacuum_naptime")
        administrator.execute("SELECT pg_reload_conf()")


def test_a_partitioned_table_that_nobody_analyzed_is_named(
    planted: Execute, finding: Find
) -> None:
    planted("CREATE TABLE planted.log (id int, kind int, note text) PARTITION BY RANGE (id)")
    planted(
        "CREATE TABLE planted.log_1 PARTITION OF planted.log FOR VALUES FROM (0) TO (100000)"
        " WITH (autovacuum_enabled = false)"
    )
    planted(f"INSERT INTO planted.log {ROWS.format(20_000)}; SELECT pg_stat_force_next_flush()")
    planted("ANALYZE planted.log_1")  # as autovacuum does
    found = finding("stale_planner_statistics")
    assert subjects(found) == ["planted.log"]
    assert "20,000 rows" in found.items[0].text
    assert found.items[0].fix == "As replytics_owner: ANALYZE planted.log"
    planted("ANALYZE planted.log")
    assert finding("stale_planner_statistics").level is Level.OK
    planted("INSERT INTO planted.log SELECT n, 1, 'x' FROM generate_series(20001, 80000) n")
    planted("SELECT pg_stat_force_next_flush()")
    planted("ANALYZE planted.log_1")
    assert finding("stale_planner_statistics").level is Level.CRITICAL


def test_large_table_read_whole_is_named(planted: Execute, finding: Find) -> None:
    planted(f"CREATE TABLE planted.t WITH (autovacuum_enabled = false) AS {ROWS.format(100_000)}")
    for _ in range(10):
        planted("SELECT count(*) FROM planted.t")
    planted("SELECT pg_stat_force_next_flush()")
    planted("SELECT 1")
    found = finding("sequential_scans")
    assert subjects(found) == ["planted.t"]
    assert "sequential scans" in found.items[0].text
    assert "100% of its scans" in found.items[0].text
    assert found.since is not None


def test_sequence_that_runs_out_is_named(planted: Execute, finding: Find) -> None:
    planted("CREATE SEQUENCE planted.tickets AS smallint START 32000")
    planted("GRANT SELECT ON planted.tickets TO replytics_staff")
    planted("SELECT nextval('planted.tickets')")
    found = finding("sequences")
    assert found.level is Level.CRITICAL
    assert subjects(found) == ["planted.tickets"]


def test_wraparound_is_measured(finding: Find, settings: Settings) -> None:
    settings.MONITORING_THRESHOLDS = {"wraparound": (0.0, None)}
    assert any(subject.startswith("database ") for subject in subjects(finding("wraparound")))


def test_rows_in_a_default_partition_are_named(planted: Execute, finding: Find) -> None:
    planted("CREATE TABLE planted.log (at date) PARTITION BY RANGE (at)")
    planted("CREATE TABLE planted.log_rest PARTITION OF planted.log DEFAULT")
    assert finding("partitions").level is Level.OK
    planted("INSERT INTO planted.log VALUES ('2026-01-01')")
    found = finding("partitions")
    assert subjects(found) == ["planted.log"]
    assert "planted.log_rest" in found.items[0].fix


def test_inactive_slot_is_named(administrator: "psycopg.Connection[Any]", finding: Find) -> None:
    administrator.execute("SELECT pg_create_physical_replication_slot('planted', true)")
    try:
        found = finding("replication_slots")
        held = finding("oldest_snapshot")
    finally:
        administrator.execute("SELECT pg_drop_replication_slot('planted')")
    assert found.level is Level.CRITICAL
    assert subjects(found) == ["planted"]
    assert "pg_drop_replication_slot('planted')" in found.items[0].fix
    assert held.level is Level.OK


def test_what_passes_the_walls_is_named(
    planted: Execute, administrator: "psycopg.Connection[Any]", finding: Find
) -> None:
    planted("CREATE TABLE planted.calls (phone_id text); GRANT SELECT ON planted.calls TO PUBLIC")
    planted("ALTER TABLE planted.calls ENABLE ROW LEVEL SECURITY")
    planted(
        "CREATE FUNCTION planted.peek() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'"
    )
    administrator.execute("CREATE ROLE planted_superuser SUPERUSER LOGIN")
    try:
        assert subjects(finding("superusers")) == ["planted_superuser"]
    finally:
        administrator.execute("DROP ROLE planted_superuser")
    assert subjects(finding("unforced_policies")) == ["planted.calls"]
    assert subjects(finding("public_grants")) == ["planted.calls"]
    paths = finding("open_search_paths")
    assert paths.level is Level.CRITICAL
    assert paths.items[0].subject == "planted.peek()"
    checks = finding("catalog_checks")
    assert checks.level is Level.CRITICAL
    assert {"tenancy.E011", "tenancy.E012", "tenancy.E018"} <= set(subjects(checks))


@pytest.mark.parametrize(
    "metric",
    [
        "connections",
        "idle_in_transaction",
        "unforced_policies",
        "superusers",
        "public_grants",
        "catalog_checks",
        "invalid_indexes",
        "duplicate_indexes",
        "foreign_keys_without_index",
        "replication_slots",
        "sequences",
        "open_search_paths",
    ],
)
def test_nothing_is_wrong_with_what_we_ship(finding: Find, metric: str) -> None:
    assert finding(metric).level is Level.OK
