"""Each way to open a door in the server is found, and the hint shuts it."""

import re
from typing import Any

import psycopg
import pytest
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections

from database.roles import API, INTAKE, OWNER, WEB
from tenancy.catalog import check_server, problems_of_server
from tenancy.catalog_rules import RULES

# Id of the problem, what is named in its message, and the statement that causes it.
OWNERS_MUTATIONS = [
    ("E011", "calls", "ALTER TABLE calls DISABLE ROW LEVEL SECURITY"),
    ("E011", "phone_numbers", "ALTER TABLE phone_numbers DISABLE ROW LEVEL SECURITY"),
    ("E011", "call_metadata", "ALTER TABLE call_metadata NO FORCE ROW LEVEL SECURITY"),
    ("E011", "notes", "CREATE TABLE notes (id int, phone_id text)"),
    ("E011", "copy", "CREATE TABLE copy (LIKE calls INCLUDING ALL)"),
    ("E011", "copy", "CREATE TABLE copy AS SELECT * FROM calls"),
    (
        "E011",
        "archive_2001",
        "CREATE TABLE archive_2001 PARTITION OF calls_archive"
        " FOR VALUES FROM ('2001-01-01') TO ('2002-01-01')",
    ),
    (
        "E011",
        "calls_archive_2001_05",
        "SELECT app.create_archive_partitions('2001-05-01', '2001-05-01');"
        "ALTER TABLE calls_archive DETACH PARTITION calls_archive_2001_05;"
        "ALTER TABLE calls_archive_2001_05 DISABLE ROW LEVEL SECURITY",
    ),
    ("E011", "elsewhere.notes", "CREATE SCHEMA elsewhere CREATE TABLE notes (phone_id text)"),
    ("E012", "calls", "CREATE POLICY wide ON calls USING (true)"),
    ("E012", "calls", "CREATE POLICY wide ON calls FOR SELECT TO replytics_api USING (true)"),
    (
        "E012",
        "calls",
        "ALTER POLICY tenant ON calls USING (phone_id = app.phone() OR duration > 0)",
    ),
    ("E012", "calls", "ALTER POLICY tenant ON calls WITH CHECK (true)"),
    ("E012", "calls", "ALTER POLICY staff ON calls TO PUBLIC"),
    ("E012", "calls", "ALTER POLICY staff ON calls TO replytics_staff, replytics_api"),
    ("E012", "phone_numbers", "ALTER POLICY tenant ON phone_numbers USING (number = app.phone())"),
    ("E012", "voice_settings", "DROP POLICY tenant ON voice_settings"),
    (
        "E012",
        "calls_archive_2001_05",
        "SELECT app.create_archive_partitions('2001-05-01', '2001-05-01');"
        "ALTER POLICY tenant ON calls_archive_2001_05 USING (true)",
    ),
    (
        "E013",
        "totals",
        "CREATE MATERIALIZED VIEW totals AS SELECT phone_id, count(*) FROM calls GROUP BY 1;"
        "GRANT SELECT ON totals TO replytics_web",
    ),
    (
        "E013",
        "totals",
        "CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM calls;"
        "GRANT SELECT ON totals TO PUBLIC",
    ),
    (
        "E013",
        "mv.phone_performance_summary",
        "GRANT USAGE ON SCHEMA mv TO replytics_api;"
        "GRANT SELECT (phone_id) ON mv.phone_performance_summary TO replytics_api",
    ),
    (
        "E014",
        "recent",
        "CREATE VIEW recent AS SELECT * FROM calls; GRANT SELECT ON recent TO replytics_web",
    ),
    (
        "E014",
        "recent",
        "CREATE VIEW recent WITH (security_barrier) AS SELECT * FROM calls;"
        "GRANT SELECT ON recent TO replytics_api",
    ),
    (
        "E014",
        "outer_view",
        "CREATE VIEW inner_view AS SELECT id FROM call_metadata JOIN calls ON id = call_id;"
        "CREATE VIEW outer_view AS SELECT count(*) FROM inner_view;"
        "GRANT SELECT ON outer_view TO PUBLIC",
    ),
    (
        "E014",
        "phone_performance_summary",
        "ALTER VIEW phone_performance_summary RESET (security_barrier)",
    ),
    (
        "E014",
        "checked",
        "CREATE VIEW checked AS SELECT * FROM calls WHERE duration > 0 WITH LOCAL CHECK OPTION;"
        "GRANT SELECT ON checked TO replytics_web",
    ),
    (
        "E013",
        "totals",
        "CREATE MATERIALIZED VIEW totals WITH (fillfactor = 70) AS SELECT phone_id FROM calls;"
        "GRANT SELECT ON totals TO replytics_web",
    ),
    ("E015", "TRUNCATE on calls", "GRANT TRUNCATE ON calls TO replytics_web"),
    ("E015", "REFERENCES on calls", "GRANT REFERENCES ON calls TO PUBLIC"),
    ("E015", "TRIGGER on call_search", "GRANT ALL ON call_search TO replytics_staff"),
    (
        "E018",
        "app.peek()",
        "CREATE FUNCTION app.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS"
        " 'SELECT count(*) FROM calls'; REVOKE ALL ON FUNCTION app.peek FROM PUBLIC",
    ),
    ("E018", "app.top_calls", "ALTER FUNCTION app.top_calls SET search_path = public"),
    ("E018", "app.top_calls", "ALTER FUNCTION app.top_calls SET search_path = pg_temp, public"),
    (
        "E019",
        "app.peek()",
        "CREATE FUNCTION app.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM public.calls'",
    ),
    ("E019", "app.top_calls", "GRANT EXECUTE ON FUNCTION app.top_calls TO PUBLIC"),
    ("E020", "auth_user", "GRANT SELECT ON auth_user TO replytics_api"),
    ("E020", "auth_user_groups", "GRANT INSERT ON auth_user_groups TO PUBLIC"),
    ("E020", "UPDATE on summary_refreshes", "GRANT UPDATE ON summary_refreshes TO PUBLIC"),
    (
        "E020",
        "SELECT on django_session",
        "GRANT SELECT (session_key) ON django_session TO replytics_api",
    ),
]
ADMINISTRATORS_MUTATIONS = [
    ("E010", "replytics_web is a superuser", "ALTER ROLE replytics_web SUPERUSER"),
    ("E010", "replytics_web is BYPASSRLS", "ALTER ROLE replytics_web BYPASSRLS"),
    ("E010", "replytics_api is BYPASSRLS", "ALTER ROLE replytics_api BYPASSRLS"),
    (
        "E013",
        "remote_calls",
        "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER s FOREIGN DATA WRAPPER elsewhere;"
        "CREATE FOREIGN TABLE remote_calls (phone_id text) SERVER s;"
        "ALTER FOREIGN TABLE remote_calls OWNER TO replytics_owner;"
        "GRANT SELECT ON remote_calls TO replytics_web",
    ),
    (
        "E011",
        "theirs",
        "CREATE TABLE theirs (phone_id text); GRANT SELECT ON theirs TO replytics_api;"
        "GRANT replytics_owner TO CURRENT_USER; ALTER TABLE theirs OWNER TO replytics_owner",
    ),
    ("E017", "replytics_api", "GRANT replytics_staff TO replytics_api"),
    ("E017", "replytics_intake", "GRANT replytics_staff TO replytics_intake"),
    (
        "E022",
        "calls as anon",
        "CREATE ROLE anon; GRANT SELECT ON calls TO anon",
    ),
    ("E024", "replytics_web", "ALTER ROLE replytics_web SET role = 'replytics_staff'"),
    ("E024", "replytics_api", "ALTER ROLE replytics_api SET search_path = pg_temp, public"),
    ("E024", "replytics_intake", "ALTER ROLE replytics_intake SET app.phone_id = 'pn_bakery'"),
    ("W025", "replytics_api", "ALTER ROLE replytics_api RESET log_min_error_statement"),
    ("W025", "replytics_web", "ALTER ROLE replytics_web RESET ALL"),
    (
        "W025",
        "replytics_owner",
        "ALTER ROLE replytics_owner SET log_parameter_max_length_on_error = -1",
    ),
    ("W026", "replytics_web", "ALTER ROLE replytics_web SET lock_timeout = '1ms'"),
    (
        "W026",
        "replytics_web",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE replytics_web IN DATABASE %I"
        " SET log_min_error_statement = error', current_database()); END $$",
    ),
    ("E023", "replytics_web owns", "GRANT replytics_owner TO replytics_web"),
]


def find(administrator: psycopg.Connection, login: str = WEB) -> list[CheckMessage]:
    """What the check finds as that login, inside the transaction at hand."""
    administrator.execute("SET LOCAL search_path = public")
    administrator.execute(f"SET LOCAL SESSION AUTHORIZATION {login}")
    found = problems_of_server(administrator.cursor())
    administrator.execute("RESET SESSION AUTHORIZATION")
    return found


def follow(administrator: psycopg.Connection, hint: Any) -> None:
    """Do what a hint says."""
    who, _, statements = str(hint).partition(": ")
    assert who in {"As replytics_owner", "As an administrator"}
    if who == "As replytics_owner":
        administrator.execute(f"SET LOCAL ROLE {OWNER}")
    administrator.execute(statements)
    administrator.execute("RESET ROLE")


def assert_found_and_cured(administrator: psycopg.Connection, number: str, named: str) -> None:
    found = find(administrator)
    matching = [problem for problem in found if problem.id == f"tenancy.{number}"]
    assert any(re.search(rf"(?<!\w){re.escape(named)}", problem.msg) for problem in matching), (
        found
    )
    for problem in found:
        follow(administrator, problem.hint)
    assert find(administrator) == []


@pytest.mark.parametrize(("number", "named", "mutation"), OWNERS_MUTATIONS, ids=str)
def test_what_the_owner_opens_is_found_and_cured(
    administrator: psycopg.Connection, number: str, named: str, mutation: str
) -> None:
    administrator.execute(f"SET LOCAL ROLE {OWNER}")
    administrator.execute(mutation)
    administrator.execute("RESET ROLE")
    assert_found_and_cured(administrator, number, named)


@pytest.mark.parametrize(("number", "named", "mutation"), ADMINISTRATORS_MUTATIONS, ids=str)
def test_what_an_administrator_opens_is_found_and_cured(
    administrator: psycopg.Connection, number: str, named: str, mutation: str
) -> None:
    administrator.execute(mutation)
    assert_found_and_cured(administrator, number, named)


def test_an_inherited_staff_role_is_found_and_cured(administrator: psycopg.Connection) -> None:
    if administrator.info.server_version >= 160000:
        administrator.execute("GRANT replytics_staff TO replytics_web WITH INHERIT TRUE")
    else:
        administrator.execute("ALTER ROLE replytics_web INHERIT")
    assert_found_and_cured(administrator, "E016", "replytics_web inherits")


@pytest.mark.parametrize("login", [WEB, API, INTAKE])
def test_what_a_login_set_for_itself_is_found_and_cured(
    administrator: psycopg.Connection, login: str
) -> None:
    administrator.execute(f"SET LOCAL SESSION AUTHORIZATION {login}")
    administrator.execute("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on")
    administrator.execute("RESET SESSION AUTHORIZATION")
    assert_found_and_cured(administrator, "W026", login)


def test_a_setting_of_the_whole_server_counts(administrator: psycopg.Connection) -> None:
    administrator.execute("ALTER ROLE replytics_api RESET log_parameter_max_length_on_error")
    assert find(administrator) == []  # 0 is what PostgreSQL ships


def test_serving_as_the_owner_is_found(administrator: psycopg.Connection) -> None:
    [problem] = find(administrator, login=OWNER)
    assert problem.id == "tenancy.E023"
    assert "URL of replytics_web into DATABASE_URL" in str(problem.hint)


@pytest.mark.parametrize(
    "mutation",
    [
        "ALTER TABLE call_metadata DISABLE TRIGGER call_metadata_follows_call",
        "DROP TRIGGER call_metadata_follows_call ON call_metadata",
        "ALTER TABLE call_metadata ENABLE REPLICA TRIGGER call_metadata_follows_call",
        "CREATE OR REPLACE FUNCTION app.call_metadata_follows_call() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
)
def test_a_missing_guard_of_a_foreign_key_is_found_and_cured(
    committed: None, mutation: str
) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(mutation)
    [problem] = check_server(databases=["default"])
    assert problem.id == "tenancy.E021"
    assert "call_metadata.call_id" in problem.msg
    command, *arguments = str(problem.hint).removeprefix("Run: python manage.py ").split()
    call_command(command, *arguments)
    assert check_server(databases=["default"]) == []


def test_every_rule_has_a_mutation() -> None:
    tried = {f"tenancy.{number}" for number, _, _ in OWNERS_MUTATIONS + ADMINISTRATORS_MUTATIONS}
    assert {rule.id for rule in RULES} == tried | {"tenancy.E016", "tenancy.E021"}


def test_a_migrated_database_has_no_problems(committed: None) -> None:
    call_command("check", databases=["default"])


def test_the_command_fails_on_a_committed_mutation(
    committed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE calls NO FORCE ROW LEVEL SECURITY")
        try:
            with pytest.raises(SystemCheckError, match=r"tenancy\.E011"):
                call_command("check", databases=["default"])
            call_command("migrate", verbosity=0)
        finally:
            cursor.execute("ALTER TABLE calls FORCE ROW LEVEL SECURITY")
    assert "tenants" not in capsys.readouterr().err


def test_the_owners_check_says_whom_to_ask(committed: None) -> None:
    [hint] = check_server(databases=["owner"])
    assert hint.id == "tenancy.I001"
    assert "check --database default" in str(hint.hint)


def test_nothing_is_checked_without_naming_a_database() -> None:
    assert check_server(databases=None) == []


def test_a_database_without_our_tables_has_no_problems(administrator: psycopg.Connection) -> None:
    administrator.execute("DROP TABLE phone_numbers CASCADE")
    assert find(administrator) == []


def test_a_server_out_of_reach_has_no_problems(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections["default"].close()
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", "1")
    assert check_server(databases=["default"]) == []
