"""The scope travels with every statement, whichever way leads to the database."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import (
    DatabaseError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connections,
    transaction,
)
from django.test.utils import CaptureQueriesContext
from psycopg import errors, sql

from calls.models import Call
from tenancy import all_tenants, no_tenant, tenant
from tests.isolation.conftest import Lines, another_way
from tests.isolation.proofs import (
    LINES,
    assert_aborted_transactions_end,
    assert_nothing_left,
    assert_scope_ends_inside_a_transaction,
    seen,
)


def test_autocommit(lines: Lines, way: str) -> None:
    for line in (lines.line.pk, lines.other.pk):
        with tenant(line):
            assert seen(way) == {line}
        assert_nothing_left(way)
    with all_tenants("test"):
        assert seen(way) == lines.ids
    assert_nothing_left(way)


def test_one_transaction_many_scopes(lines: Lines, way: str) -> None:
    with transaction.atomic(using=way, durable=True):
        with tenant(lines.line.pk):
            assert seen(way) == {lines.line.pk}
            with all_tenants("test"):
                assert seen(way) == lines.ids
            assert seen(way) == {lines.line.pk}
        with tenant(lines.other.pk):
            assert seen(way) == {lines.other.pk}
    assert_nothing_left(way)


def test_scope_ends_inside_a_transaction(lines: Lines, way: str) -> None:
    assert_scope_ends_inside_a_transaction(lines, way)


def test_savepoints_do_not_bring_a_scope_back(lines: Lines, way: str) -> None:
    with transaction.atomic(using=way), tenant(lines.line.pk):
        assert seen(way) == {lines.line.pk}
        with transaction.atomic(using=way), all_tenants("test"):
            assert seen(way) == lines.ids  # released
        assert seen(way) == {lines.line.pk}
        with pytest.raises(ZeroDivisionError), transaction.atomic(using=way):
            with tenant(lines.other.pk):
                assert seen(way) == {lines.other.pk}
            raise ZeroDivisionError
        assert seen(way) == {lines.line.pk}
    with transaction.atomic(using=way):
        with pytest.raises(ZeroDivisionError), transaction.atomic(using=way):
            with tenant(lines.other.pk):
                seen(way)
            raise ZeroDivisionError
        with pytest.raises(ProgrammingError, match="no tenant is active"):
            seen(way)


def test_aborted_transactions_end(lines: Lines, way: str) -> None:
    assert_aborted_transactions_end(lines, way)


def test_an_error_leaves_nothing(lines: Lines, way: str) -> None:
    for scope in (tenant(lines.line.pk), all_tenants("test")):
        with scope, pytest.raises(DatabaseError, match="division by zero"):
            connections[way].cursor().execute("SELECT 1 / 0")
        assert_nothing_left(way)


@pytest.mark.parametrize("atomic", [True, False])
def test_executemany(lines: Lines, way: str, atomic: bool) -> None:
    numbers = [("+14155550001", lines.line.pk), ("+14155550002", lines.other.pk)]
    with transaction.atomic(using=way) if atomic else no_tenant():
        with tenant(lines.line.pk), connections[way].cursor() as cursor:
            cursor.executemany("UPDATE calls SET caller_number = %s WHERE phone_id = %s", numbers)
    assert_nothing_left(way)
    with all_tenants("test"):
        callers = dict(Call.objects.using(way).values_list("phone_id", "caller_number"))
    assert callers[lines.line.pk] == "+14155550001"
    assert callers[lines.other.pk] != "+14155550002"


@pytest.mark.parametrize("atomic", [True, False])
def test_copy_out(lines: Lines, way: str, atomic: bool) -> None:
    with transaction.atomic(using=way) if atomic else no_tenant():
        with tenant(lines.line.pk), connections[way].cursor() as cursor:
            with cursor.copy("COPY (SELECT phone_id FROM calls) TO STDOUT") as copied:
                assert b"".join(copied).split() == [lines.line.pk.encode()]
    assert_nothing_left(way)


def test_copy_in_goes_through_a_temporary_table(lines: Lines, way: str) -> None:
    insert = """
    INSERT INTO calls (phone_id, caller_number, call_sid, status)
    SELECT phone_id, '+14155550003', sid, 'completed' FROM loaded
    """

    def load(cursor: Any, line: str) -> None:
        with cursor.copy("COPY loaded FROM STDIN") as copied:
            copied.write_row((line, f"copied for {line}"))

    for line in (lines.other.pk, lines.line.pk):
        with transaction.atomic(using=way), tenant(lines.line.pk):
            with connections[way].cursor() as cursor:
                cursor.execute("CREATE TEMPORARY TABLE loaded (phone_id text, sid text)")
                load(cursor, line)
                if line == lines.other.pk:
                    with pytest.raises(DatabaseError, match="row-level security policy"):
                        cursor.execute(insert)
                else:
                    cursor.execute(insert)
                    assert cursor.rowcount == 1
            transaction.set_rollback(True, using=way)


def test_copy_into_a_tenant_table_is_refused(lines: Lines, way: str) -> None:
    with tenant(lines.line.pk), connections[way].cursor() as cursor:
        with pytest.raises(errors.FeatureNotSupported), cursor.copy("COPY calls FROM STDIN"):
            pass


@pytest.mark.parametrize(
    "statement",
    [
        sql.SQL(LINES),
        sql.SQL("SELECT DISTINCT {} FROM calls").format(sql.Identifier("phone_id")),
        LINES.encode(),
        f"SELECT 1; {LINES}",
    ],
    ids=["SQL", "Composed", "bytes", "two statements"],
)
def test_forms_of_sql(lines: Lines, way: str, statement: Any) -> None:
    with tenant(lines.line.pk), connections[way].cursor() as cursor:
        cursor.execute(statement)
        if isinstance(statement, str):
            assert cursor.fetchall() == [(1,)]
            assert cursor.nextset()
        assert cursor.fetchall() == [(lines.line.pk,)]


def test_callproc_and_driver_cursors(lines: Lines, way: str) -> None:
    connection: Any = connections[way]
    for scope in (tenant(lines.line.pk), tenant(lines.other.pk)):
        with scope, connection.cursor() as cursor:
            cursor.callproc("current_setting", ["app.phone_id"])
            assert cursor.fetchone() == (scope.phone_id,)
            with connection.connection.cursor() as own:
                assert own.execute(LINES).fetchall() == [(scope.phone_id,)]
            assert connection.connection.execute(LINES).fetchall() == [(scope.phone_id,)]
            assert list(cursor.stream(LINES)) == [(scope.phone_id,)]
    with transaction.atomic(using=way):
        with tenant(lines.line.pk):
            seen(way)
        with connection.cursor() as cursor:
            cursor.callproc("current_setting", ["app.phone_id"])
            assert cursor.fetchone() == ("",)
        with pytest.raises(errors.InsufficientPrivilege, match="no tenant is active"):
            connection.connection.execute(LINES)
        transaction.set_rollback(True, using=way)


def test_server_side_cursors_are_refused(lines: Lines) -> None:
    with another_way("chunked", DISABLE_SERVER_SIDE_CURSORS=False) as alias:
        connection: Any = connections[alias]
        for scope in (tenant(lines.line.pk), no_tenant()):
            with scope, transaction.atomic(using=alias), pytest.raises(NotSupportedError):
                with connection.chunked_cursor() as cursor:
                    cursor.execute(LINES)
        with pytest.raises(NotSupportedError):
            connection.connection.cursor(name="named")
        with tenant(lines.line.pk), pytest.raises(NotSupportedError):
            list(Call.objects.using(alias).iterator())


@pytest.mark.parametrize(
    "options", [{"server_side_binding": True}, {"assume_role": "replytics_staff"}]
)
def test_options_that_undo_the_guard_are_refused(lines: Lines, options: dict[str, Any]) -> None:
    with another_way("wrong", OPTIONS=options) as alias:
        for _ in range(2):  # the refused connection is not kept
            with pytest.raises(ImproperlyConfigured, match=next(iter(options))):
                connections[alias].cursor()


def test_commit_hooks_run_in_the_scope_of_the_commit(lines: Lines, way: str) -> None:
    ran: list[object] = []

    def hook() -> None:
        try:
            ran.append(seen(way))
        except ProgrammingError as error:
            ran.append(str(error).split("\n")[0])

    with tenant(lines.line.pk), transaction.atomic(using=way):
        transaction.on_commit(hook, using=way)
    with transaction.atomic(using=way), tenant(lines.line.pk):
        transaction.on_commit(hook, using=way)
    assert ran == [{lines.line.pk}, "no tenant is active"]


def test_a_new_connection_carries_the_scope(lines: Lines, way: str) -> None:
    connection = connections[way]
    with tenant(lines.line.pk):
        assert seen(way) == {lines.line.pk}
        with pytest.raises(OperationalError):
            connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()
        assert seen(way) == {lines.line.pk}
    assert_nothing_left(way)


def test_settings_of_a_transaction_stay(lines: Lines, way: str) -> None:
    with transaction.atomic(using=way), connections[way].cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 2000")
        with tenant(lines.line.pk):
            with pytest.raises(OperationalError, match="statement timeout"):
                with transaction.atomic(using=way):
                    cursor.execute("SELECT pg_sleep(60)")
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("2s",)
            assert seen(way) == {lines.line.pk}


def test_the_query_log_shows_the_statement_alone(lines: Lines, way: str) -> None:
    with tenant(lines.line.pk), CaptureQueriesContext(connections[way]) as sent:
        seen(way)
    assert [query["sql"] for query in sent.captured_queries] == [LINES]


def test_errors_quote_the_statement_alone(lines: Lines, way: str) -> None:
    with tenant(lines.line.pk), pytest.raises(ProgrammingError) as raised:
        connections[way].cursor().execute("SELECT nothing FROM calls")
    assert "SELECT nothing FROM calls" in str(raised.value)
    assert "set_config" not in str(raised.value)
    assert lines.line.pk not in str(raised.value)
