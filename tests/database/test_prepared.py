"""Statements that are planned once a connection, and what poolers and dead connections do."""

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from database.prepared import MAX_PREPARED, Statement
from tenancy import all_tenants, tenant
from tests.factories import make_line

SUM = Statement("SELECT %(n)s + 1, '100%%'", n="integer")
LINES = Statement("SELECT id FROM phone_numbers WHERE id <> %(other)s ORDER BY id", other="text")


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements ORDER BY prepare_time")
        return [name for (name,) in cursor.fetchall()]


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def end_connection() -> None:
    """As a restart of the server does."""
    at = connection.settings_dict
    pid = connection.connection.info.backend_pid
    with psycopg.connect(
        host=at["HOST"],
        port=at["PORT"],
        dbname=at["NAME"],
        user=at["USER"],
        password=at["PASSWORD"],
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_statement_is_prepared_once(committed: None) -> None:
    connection.close()
    for n in range(3):
        assert SUM.fetch_all({"n": n}) == [(n + 1, "100%")]
    assert prepared() == [SUM.name]


def test_a_transaction_prepares_nothing(committed: None) -> None:
    connection.close()
    with transaction.atomic():
        assert SUM.fetch_all({"n": 1}) == [(2, "100%")]
    assert prepared() == []


def test_pooler_gives_a_connection_without_the_statement(committed: None) -> None:
    SUM.fetch_all({"n": 1})
    execute("DEALLOCATE ALL")
    assert SUM.fetch_all({"n": 1}) == [(2, "100%")]
    assert prepared() == [SUM.name]


def test_pooler_gives_a_connection_that_has_it_already(committed: None) -> None:
    SUM.fetch_all({"n": 1})
    vars(connection.connection)["prepared"].clear()
    assert SUM.fetch_all({"n": 1}) == [(2, "100%")]
    assert prepared() == [SUM.name]


def test_a_connection_holds_so_many(committed: None) -> None:
    connection.close()
    for n in range(MAX_PREPARED + 5):
        assert Statement(f"SELECT {n}").fetch_all({}) == [(n,)]
    assert len(prepared()) == MAX_PREPARED


def test_what_is_wrong_stays_an_error(committed: None) -> None:
    with pytest.raises(DatabaseError, match="division by zero"):
        Statement("SELECT 1 / 0").fetch_all({})
    SUM.fetch_all({"n": 1})
    with pytest.raises(DatabaseError, match="integer out of range"):
        SUM.fetch_all({"n": 2**31 - 1})


def test_first_statement_of_a_request_survives_a_dead_connection(committed: None) -> None:
    SUM.fetch_all({"n": 1})
    end_connection()
    connection.health_check_done = False  # type: ignore[attr-defined]  # as a request begins
    assert SUM.fetch_all({"n": 1}) == [(2, "100%")]
    end_connection()
    with pytest.raises(OperationalError):
        SUM.fetch_all({"n": 1})


def test_prepared_statement_sees_the_scope_of_each_time(committed: None) -> None:
    first, second = make_line(), make_line()
    everyone = sorted([first.pk, second.pk])
    for _ in range(7):  # beyond the five after which PostgreSQL may keep the plan
        for line in (first, second):
            with tenant(line.pk):
                assert LINES.fetch_all({"other": ""}) == [(line.pk,)]
        with all_tenants("test"):
            assert [pk for (pk,) in LINES.fetch_all({"other": ""})] == everyone
    with pytest.raises(DatabaseError):
        LINES.fetch_all({"other": ""})
