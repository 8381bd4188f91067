"""What the serving logins can do with SQL of their own, past all of our Python."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connections
from psycopg import errors

from calls.models import Call
from local.embedded import API_LOGIN, SERVING_LOGIN, Cluster
from tests.isolation.conftest import Lines
from tests.isolation.rows import tenant_models

Connection = Any  # psycopg's wants literal strings; these are put together


def _url(login: str) -> str:
    settings = connections["default"].settings_dict
    if login == settings["USER"]:
        host, port = settings["HOST"], settings["PORT"]
        return f"postgres://{login}:{quote(settings['PASSWORD'])}@{host}:{port}/{settings['NAME']}"
    if "TEST_CLUSTER" not in os.environ:
        pytest.skip(f"the password of {login} is known on the embedded server only")
    url = Cluster(Path(os.environ["TEST_CLUSTER"])).url(login, settings["NAME"])
    assert url is not None
    return url


def _connected(login: str) -> Iterator[Connection]:
    with psycopg.connect(_url(login), autocommit=True) as connection:
        yield connection


@pytest.fixture
def web(lines: Lines) -> Iterator[Connection]:
    yield from _connected(SERVING_LOGIN)


@pytest.fixture
def api(lines: Lines) -> Iterator[Connection]:
    yield from _connected(API_LOGIN)


@pytest.fixture(params=[SERVING_LOGIN, API_LOGIN])
def login(request: pytest.FixtureRequest, lines: Lines) -> Iterator[Connection]:
    yield from _connected(request.param)


def work_in(connection: Connection, line: str) -> None:
    """What the guard sends, for the whole session of this test."""
    connection.execute("SELECT set_config('app.phone_id', %s, false)", [line])


def _table(model: Any) -> tuple[str, str]:
    return model._meta.db_table, model._meta.get_field(model.line_field).column


TABLES = [_table(model) for model in tenant_models()]
each_table = pytest.mark.parametrize(("table", "column"), TABLES, ids=[t for t, _ in TABLES])


def may_read(login: Connection, table: str, column: str) -> bool:
    """Of a column. The API's login may read nothing of a table that no endpoint needs."""
    asked = "SELECT has_column_privilege(%s, %s, 'SELECT')"
    [may] = login.execute(asked, [table, column]).fetchone()
    return bool(may)


def test_the_web_login_may_read_each_table(web: Connection) -> None:
    assert [t for t, column in TABLES if not may_read(web, t, column)] == []


@each_table
def test_without_scope_each_table_raises(login: Connection, table: str, column: str) -> None:
    whole = login.execute("SELECT has_table_privilege(%s, 'SELECT')", [table]).fetchone() == (
        True,
    )
    for setting in ("", None, ""):  # never set, then set and emptied
        if setting is not None:
            work_in(login, setting)
        for statement in (
            f"SELECT * FROM {table}",
            f"SELECT count(*) FROM {table}",
            f"SELECT EXISTS (SELECT FROM {table} WHERE {column} = 'pn_garage')",
            f"SELECT 1 WHERE 'pn_garage' IN (SELECT {column} FROM {table})",
        ):
            reason = "no tenant is active" if whole else "no tenant is active|permission denied"
            with pytest.raises(errors.InsufficientPrivilege, match=reason):
                login.execute(statement)


@each_table
def test_in_a_line_each_table_shows_it_alone(
    login: Connection, lines: Lines, table: str, column: str
) -> None:
    work_in(login, lines.line.pk)
    select = f"SELECT DISTINCT {column} FROM {table}"
    if not may_read(login, table, column):
        with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
            login.execute(select)
        return
    assert login.execute(select).fetchall() == [(lines.line.pk,)]
    oracle = f"SELECT EXISTS (SELECT FROM {table} WHERE {column} = %s)"
    assert login.execute(oracle, [lines.other.pk]).fetchone() == (False,)
    with login.cursor().copy(f"COPY (SELECT {column} FROM {table}) TO STDOUT") as copied:
        assert b"".join(copied).split() == [lines.line.pk.encode()]


def test_outcomes_are_those_of_the_lines_calls(login: Connection, lines: Lines) -> None:
    """The functions read what tells them with the rights of the login, which names one line."""
    outcomes = "SELECT c.phone_id, c.outcome FROM calls AS c"
    archived = "SELECT c.phone_id, c.archived_outcome FROM calls_archive AS c"
    with pytest.raises(errors.InsufficientPrivilege, match="no tenant is active"):
        login.execute(outcomes)
    work_in(login, lines.line.pk)
    for select in (outcomes, archived):
        rows = login.execute(select).fetchall()
        assert rows
        assert {line for line, _ in rows} == {lines.line.pk}


# Of a policy, of a grant, of a column without default, or of a view of two arms.
REFUSALS = (
    errors.InsufficientPrivilege,
    errors.NotNullViolation,
    errors.CheckViolation,
    errors.ObjectNotInPrerequisiteState,
)


@each_table
def test_another_line_is_not_written(
    login: Connection, lines: Lines, table: str, column: str
) -> None:
    work_in(login, lines.line.pk)
    readable = may_read(login, table, column)
    for statement in (
        f"UPDATE {table} SET {column} = {column} WHERE {column} = %(other)s",
        f"DELETE FROM {table} WHERE {column} = %(other)s",
        f"UPDATE {table} SET {column} = %(other)s WHERE {column} = %(line)s",
        f"INSERT INTO {table} ({column}) VALUES (%(other)s)",
        f"INSERT INTO {table} ({column}) VALUES (%(other)s) ON CONFLICT DO NOTHING",
    ):
        parameters = {"line": lines.line.pk, "other": lines.other.pk}
        refused = ""
        try:
            assert login.execute(statement, parameters).rowcount == 0
        except REFUSALS as error:
            refused = f"{error} {error.diag.message_detail}"
        assert lines.other.business_name not in refused
        assert lines.other.number not in refused
        assert readable or refused
    if not readable:  # nor written, then
        return
    work_in(login, lines.other.pk)
    count = f"SELECT count(*) FROM {table} WHERE {column} = %(other)s"
    assert login.execute(count, {"other": lines.other.pk}).fetchone() == (1,)


# Of the privileges, of row level security, or because it is a view.
NOT_FOR_LOGINS = (
    errors.InsufficientPrivilege,
    errors.FeatureNotSupported,
    errors.WrongObjectType,
    errors.UndefinedObject,
)


@each_table
@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE {}",
        "COPY {} FROM STDIN",
        "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON {}",
        "CREATE POLICY open ON {} USING (true)",
        "CREATE TRIGGER leak AFTER INSERT ON {} EXECUTE FUNCTION update_updated_at_column()",
        "CREATE TABLE copied (LIKE {} INCLUDING ALL)",
        "CREATE VIEW public.shown AS SELECT * FROM {}",
        "GRANT SELECT ON {} TO PUBLIC",
    ],
)
def test_definitions_and_bulk_ways_are_refused(
    login: Connection, lines: Lines, table: str, column: str, statement: str
) -> None:
    work_in(login, lines.line.pk)
    if statement.startswith("GRANT"):
        with suppress(errors.InsufficientPrivilege):  # of who has no right there at all
            login.execute(statement.format(table))
        granted = "SELECT has_table_privilege('public', %s, 'SELECT')"
        with connections["owner"].cursor() as owner:
            owner.execute(granted, [table])
            assert owner.fetchone() == (False,)  # a warning: nothing was granted
        return
    with pytest.raises(NOT_FOR_LOGINS):
        login.execute(statement.format(table))


def test_row_security_off_is_an_error_not_an_opening(login: Connection, lines: Lines) -> None:
    work_in(login, lines.line.pk)
    login.execute("SET row_security = off")
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        login.execute("SELECT * FROM calls")


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE replytics_staff",
        "SET ROLE replytics_owner",
        "SET ROLE replytics_web",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION replytics_staff",
        "SELECT set_config('role', 'replytics_staff', true)",
        "SELECT app.create_archive_partitions(now(), now())",
        "CREATE ROLE another",
        "ALTER ROLE replytics_api INHERIT",
        "GRANT replytics_staff TO replytics_api",
    ],
)
def test_the_api_login_cannot_become_staff(api: Connection, statement: str) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.InvalidParameterValue)):
        api.execute(statement)


def test_the_web_login_becomes_staff_only_by_asking(web: Connection, lines: Lines) -> None:
    assert web.execute("SELECT pg_has_role('replytics_staff', 'USAGE')").fetchone() == (False,)
    with pytest.raises(errors.InsufficientPrivilege):
        web.execute("SELECT * FROM calls")
    with web.transaction():
        web.execute("SET LOCAL ROLE replytics_staff")
        assert len(web.execute("SELECT * FROM calls").fetchall()) == 2
    with pytest.raises(errors.InsufficientPrivilege):
        web.execute("SELECT * FROM calls")
    for role in ("replytics_owner", "replytics_api", "postgres"):
        with pytest.raises((errors.InsufficientPrivilege, errors.InvalidParameterValue)):
            web.execute(f"SET ROLE {role}")


def test_shared_tables_are_closed_to_the_api_login(api: Connection) -> None:
    for table in ("auth_user", "django_session", "django_admin_log"):
        with pytest.raises(errors.InsufficientPrivilege):
            api.execute(f"SELECT * FROM {table}")


def test_partitions_are_not_read_directly(login: Connection, lines: Lines) -> None:
    work_in(login, lines.line.pk)
    partitions = login.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = 'calls_archive'::regclass"
    ).fetchall()
    assert partitions
    for (partition,) in partitions:
        with pytest.raises(errors.InsufficientPrivilege):
            login.execute(f"SELECT * FROM {partition}")


def test_the_hidden_schema_is_not_read(login: Connection, lines: Lines) -> None:
    work_in(login, lines.line.pk)
    with pytest.raises(errors.InsufficientPrivilege):
        login.execute("SELECT * FROM mv.phone_performance_summary")
    with pytest.raises(errors.InsufficientPrivilege):
        login.execute("REFRESH MATERIALIZED VIEW mv.phone_performance_summary")


def test_a_setting_lasts_as_long_as_its_transaction(login: Connection, lines: Lines) -> None:
    with login.transaction():
        login.execute("SELECT set_config('app.phone_id', %s, true)", [lines.line.pk])
        assert len(login.execute("SELECT * FROM calls").fetchall()) == 1
    with pytest.raises(errors.InsufficientPrivilege, match="no tenant is active"):
        login.execute("SELECT * FROM calls")


def test_a_prepared_statement_follows_the_setting(login: Connection, lines: Lines) -> None:
    login.execute("SET plan_cache_mode = force_generic_plan")
    login.execute("PREPARE of_line AS SELECT DISTINCT phone_id FROM calls")
    for line in (lines.line.pk, lines.other.pk) * 3:
        work_in(login, line)
        assert login.execute("EXECUTE of_line").fetchall() == [(line,)]
    work_in(login, "")
    with pytest.raises(errors.InsufficientPrivilege, match="no tenant is active"):
        login.execute("EXECUTE of_line")


def test_a_prepared_statement_of_staff_does_not_stay_open(web: Connection, lines: Lines) -> None:
    web.execute("SET plan_cache_mode = force_generic_plan")
    with web.transaction():
        web.execute("SET LOCAL ROLE replytics_staff")
        web.execute("PREPARE everything AS SELECT phone_id FROM calls")
        assert len(web.execute("EXECUTE everything").fetchall()) == 2
    with pytest.raises(errors.InsufficientPrivilege):
        web.execute("EXECUTE everything")
    work_in(web, lines.line.pk)
    assert web.execute("EXECUTE everything").fetchall() == [(lines.line.pk,)]


def test_statistics_of_the_planner_are_hidden(login: Connection) -> None:
    with connections["owner"].cursor() as owner:
        owner.execute("ANALYZE calls, phone_numbers")
    found = login.execute(
        "SELECT count(*) FROM pg_stats WHERE tablename IN ('calls', 'phone_numbers')"
    )
    assert found.fetchone() == (0,)
    with pytest.raises(errors.InsufficientPrivilege):
        login.execute("SELECT * FROM pg_statistic")


def test_the_api_login_does_not_see_the_statements_of_others(
    api: Connection, web: Connection
) -> None:
    web.execute("SELECT 'a secret of another line'")
    activity = "SELECT query FROM pg_stat_activity WHERE usename = 'replytics_web'"
    assert {query for (query,) in api.execute(activity)} == {"<insufficient privilege>"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM calls WHERE 1 / (CASE WHEN phone_id = 'pn_garage' THEN 0 ELSE 1 END) = 1",
        "SELECT * FROM calls WHERE caller_number::integer > 0 AND phone_id = 'pn_garage'",
        "SELECT * FROM phone_performance_summary WHERE"
        " 1 / (CASE WHEN phone_id = 'pn_garage' THEN 0 ELSE 1 END) = 1",
    ],
)
def test_a_condition_is_not_evaluated_on_rows_of_others(
    login: Connection, lines: Lines, statement: str
) -> None:
    """An error on a hidden row would tell that it is there, and show its values."""
    work_in(login, lines.line.pk)
    assert {row.phone_id for row in _named(login, statement)} <= {lines.line.pk}


def _named(connection: Connection, statement: str) -> list[Any]:
    with connection.cursor(row_factory=psycopg.rows.namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(statement).fetchall()
        return rows


def test_errors_carry_no_row_of_another_line(login: Connection, lines: Lines) -> None:
    sid = "CA taken"
    insert = (
        "INSERT INTO calls (phone_id, caller_number, call_sid, status, duration)"
        " VALUES (%s, '+14155557777', %s, 'completed', %s)"
    )
    if login.info.user == API_LOGIN:
        # Not even that a SID is taken shows.
        with pytest.raises(errors.InsufficientPrivilege):
            login.execute(insert, [lines.line.pk, sid, 7])
        return
    with login.transaction(force_rollback=True):
        work_in(login, lines.other.pk)
        login.execute(insert, [lines.other.pk, sid, 7])
        work_in(login, lines.line.pk)
        # call_sid is unique over all lines: that it is taken shows, the row that took it does not.
        with pytest.raises(errors.UniqueViolation) as taken, login.transaction():
            login.execute(insert, [lines.line.pk, sid, 7])
        with pytest.raises(errors.CheckViolation) as wrong, login.transaction():
            login.execute(insert, [lines.line.pk, "CA new", -1])
        with pytest.raises(errors.InsufficientPrivilege) as foreign, login.transaction():
            login.execute(insert, [lines.other.pk, "CA new", 7])
    for raised in (taken, wrong, foreign):
        shown = f"{raised.value} {raised.value.diag.message_detail}"
        assert lines.other.pk not in shown
        assert "+14155557777" not in shown


def test_metadata_follows_its_call_to_no_other_line(login: Connection, lines: Lines) -> None:
    """A foreign key is checked without row level security: the trigger holds it."""
    theirs = lines.row(Call, lines.other)
    work_in(login, lines.line.pk)
    with pytest.raises((errors.IntegrityError, errors.InsufficientPrivilege)):
        login.execute(
            "INSERT INTO call_metadata (call_id, phone_id) VALUES (%s, %s)",
            [theirs.pk, lines.line.pk],
        )
