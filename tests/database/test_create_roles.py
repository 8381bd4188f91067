"""create_roles on a server like Supabase's: its administrator is no superuser."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import psycopg
import pytest

from console.command_line import main
from database.roles import LOGIN_SETTINGS
from local.embedded import ROOT, SUPERUSER, Cluster

OTHERS = ["boss", "clerk", "nobody", "anon", "authenticated", "service_role"]
LOGINS = ["replytics_owner", "replytics_web", "replytics_api", "replytics_intake"]
ROLES = [*LOGINS, "replytics_staff"]
# As Supabase has them: an administrator who makes roles and bypasses policies, a database whose
# PUBLIC may do nothing, and an API whose roles are granted whatever the administrator makes.
SERVER = """
CREATE ROLE boss LOGIN CREATEROLE BYPASSRLS PASSWORD 'boss';
CREATE ROLE clerk LOGIN CREATEROLE PASSWORD 'clerk';
CREATE ROLE nobody LOGIN PASSWORD 'nobody';
CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS;
"""
DATABASE = """
REVOKE ALL ON DATABASE shop FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE shop TO clerk, nobody;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA public
    GRANT ALL ON TABLES TO anon, authenticated, service_role;
"""
WORKS = """
import django; django.setup()
from django.db import connection
from calls.models import Call
from tenants.models import PhoneNumber
from tenancy import all_tenants, tenant
for n in (1, 2):
    with all_tenants("test"):
        PhoneNumber.objects.create(id=f"pn_{n}", number=f"+1415555000{n}", business_name="B")
    with tenant(f"pn_{n}"):
        Call.objects.create(call_sid=f"CA{n}", status="failed", transcript="hi")
with tenant("pn_1"):
    assert [call.call_sid for call in Call.objects.search(words="hi")] == ["CA1"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), session_user FROM calls")
        assert cursor.fetchone() == (1, "replytics_web")
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    # Not below pytest's own directory, which no other system user may enter.
    with tempfile.TemporaryDirectory(prefix="replytics-") as directory:
        cluster = Cluster(Path(directory) / "cluster", durable=False)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture
def shop(server: Cluster) -> Cluster:
    """The server without anything of ours, and an empty database `shop`."""
    url = server.url(SUPERUSER, "postgres")
    assert url
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("DROP DATABASE IF EXISTS replytics")
        superuser.execute("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        for role in (*ROLES, *OTHERS):
            superuser.execute(f"DROP ROLE IF EXISTS {role}")
        superuser.execute(SERVER)
        superuser.execute("CREATE DATABASE shop OWNER boss")
    with psycopg.connect(server.url(SUPERUSER, "shop") or "", autocommit=True) as superuser:
        superuser.execute(DATABASE)
    return server


def url_of(cluster: Cluster, login: str, password: str) -> str:
    described = cluster.describe()
    assert described
    return f"postgres://{login}:{password}@127.0.0.1:{described['port']}/shop"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "SECRET_KEY", "AUDIT_LOG_LEVEL")}
        | environment,
        capture_output=True,
        text=True,
    )


def create_roles(cluster: Cluster, login: str = "boss", **environment: str) -> str:
    """What the command prints, its one line of error included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADMIN_DATABASE_URL", url_of(cluster, login, login))
        for name, value in environment.items():
            patch.setenv(name, value)
        printed = StringIO()
        with redirect_stdout(printed), redirect_stderr(printed), suppress(SystemExit):
            main(["manage.py", "create_roles"])
    return printed.getvalue()


PASSWORDS = {
    f"{name.upper()}_PASSWORD": f"for-{name}" for name in ("owner", "web", "api", "intake")
}


@pytest.mark.soak
def test_the_whole_product_runs_on_what_it_made(shop: Cluster) -> None:
    administrator = PASSWORDS | {"ADMIN_DATABASE_URL": url_of(shop, "boss", "boss")}
    for _ in range(2):  # the second time changes nothing
        made = run("manage.py", "create_roles", **administrator)
        assert made.returncode == 0, made.stderr
        assert "replytics_web: may become replytics_staff" in made.stdout
    environment = {
        "DATABASE_URL": url_of(shop, "replytics_web", "for-web"),
        "OWNER_DATABASE_URL": url_of(shop, "replytics_owner", "for-owner"),
        "DJANGO_SETTINGS_MODULE": "replytics.settings",
    }
    for command in (
        ("manage.py", "migrate", "-v0"),
        ("manage.py", "check", "--database", "default"),
        ("-c", WORKS),
        ("manage.py", "migrate", "-v0"),
    ):
        done = run(*command, **environment)
        assert done.returncode == 0, done.stderr
    as_api = run("-c", WORKS.replace("replytics_web", "replytics_api"), **environment)
    assert as_api.returncode != 0


@pytest.mark.soak
def test_supabases_api_is_shut_out_even_of_tables_that_its_own_login_made(shop: Cluster) -> None:
    create_roles(shop, **PASSWORDS)
    boss = url_of(shop, "boss", "boss")
    with psycopg.connect(boss, autocommit=True) as connection:
        connection.execute("GRANT replytics_staff TO boss")
    web = url_of(shop, "replytics_web", "for-web")
    done = run("manage.py", "migrate", "-v0", DATABASE_URL=web, OWNER_DATABASE_URL=boss)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(boss) as connection:
        granted = connection.execute(
            "SELECT relname, grantee::regrole FROM pg_class, aclexplode(relacl)"
            " WHERE grantee::regrole::text IN ('anon', 'authenticated', 'service_role')"
            " AND relkind <> 'S'"
        )
        assert granted.fetchall() == [], "PostgREST could read them"


@pytest.mark.parametrize("right", ["pg_read_all_stats", "pg_monitor"])
def test_staff_sees_statistics_where_the_administrator_may_grant_that(
    shop: Cluster, right: str
) -> None:
    with psycopg.connect(shop.url(SUPERUSER, "shop") or "", autocommit=True) as superuser:
        superuser.execute(f"GRANT {right} TO boss WITH ADMIN OPTION")
        superuser.execute("DROP EXTENSION pg_stat_statements; CREATE SCHEMA extensions")
        superuser.execute("CREATE EXTENSION pg_stat_statements SCHEMA extensions")
        superuser.execute("ALTER SCHEMA extensions OWNER TO boss")
        for _ in range(2):
            create_roles(shop)
        sees = superuser.execute(
            "SELECT pg_has_role('replytics_staff', 'pg_read_all_stats', 'USAGE'),"
            " has_schema_privilege('replytics_staff', 'extensions', 'USAGE'),"
            " pg_has_role('replytics_web', 'pg_read_all_stats', 'USAGE')"
        ).fetchone()
        assert sees == (True, True, False)


def test_passwords_are_generated_once_and_shown_once(shop: Cluster) -> None:
    first = create_roles(shop, WEB_PASSWORD="for-web")
    assert first.count("generated password") == 3
    assert "for-web" not in first
    [line] = [line for line in first.splitlines() if line.startswith("replytics_api: generated")]
    psycopg.connect(url_of(shop, "replytics_api", line.rpartition(" ")[2])).close()
    psycopg.connect(url_of(shop, "replytics_web", "for-web")).close()
    assert "password" not in create_roles(shop)


def test_passwords_reach_no_log_of_the_server(shop: Cluster) -> None:
    with psycopg.connect(shop.url(SUPERUSER, "postgres") or "", autocommit=True) as superuser:
        superuser.execute("ALTER SYSTEM SET log_statement = 'all'")
        superuser.execute("SELECT pg_reload_conf()")
    create_roles(shop, WEB_PASSWORD="in-no-log-at-all")
    log = (shop.data / "server.log").read_text()
    assert "ALTER ROLE" in log
    assert "in-no-log-at-all" not in log


@pytest.mark.parametrize("login", ["clerk", "nobody"])
def test_a_missing_right_is_one_line_and_the_way_out(shop: Cluster, login: str) -> None:
    printed = create_roles(shop, login)
    assert printed.count("\n") == 1
    assert "create_roles --sql" in printed
    with psycopg.connect(url_of(shop, "boss", "boss")) as connection:
        made = connection.execute("SELECT FROM pg_roles WHERE rolname LIKE 'replytics%'")
        assert made.fetchall() == []


def test_an_administrator_can_run_the_printed_statements(shop: Cluster, tmp_path: Path) -> None:
    script = run("manage.py", "create_roles", "--sql").stdout
    with psycopg.connect(url_of(shop, "boss", "boss"), autocommit=True) as connection:
        for _ in range(2):
            connection.execute(script)
        row = connection.execute(
            "SELECT has_database_privilege('replytics_owner', 'shop', 'CREATE'),"
            " pg_has_role('replytics_api', 'replytics_staff', 'MEMBER')"
        ).fetchone()
    assert row == (True, False)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "--url or ADMIN_DATABASE_URL"),
        ("postgres://boss:wrong@127.0.0.1:1/shop", "connection"),
        ("nonsense", "nonsense"),
    ],
)
def test_an_unusable_url_is_one_line(url: str, said: str) -> None:
    done = run("manage.py", "create_roles", ADMIN_DATABASE_URL=url)
    assert done.returncode != 0
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "wrong" not in done.stderr


SETTINGS = """
SELECT rolname, unnest(setconfig) FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole
WHERE rolname LIKE 'replytics%'
"""
WANTED = [
    (login, f"{name}={value}")
    for login, settings in LOGIN_SETTINGS.items()
    for name, value in settings.items()
]


def settings_of(shop: Cluster) -> list[tuple[str, str]]:
    with psycopg.connect(shop.url(SUPERUSER, "shop") or "") as superuser:
        return superuser.execute(SETTINGS).fetchall()


def test_a_superuser_keeps_what_callers_said_out_of_the_log(shop: Cluster) -> None:
    superuser = shop.url(SUPERUSER, "shop") or ""
    printed = create_roles(shop, ADMIN_DATABASE_URL=superuser)
    assert "Let a superuser run" not in printed
    assert sorted(settings_of(shop)) == sorted(WANTED)


def test_what_an_administrator_may_not_set_is_printed_for_a_superuser(shop: Cluster) -> None:
    printed = create_roles(shop)
    _, _, statements = printed.partition("Let a superuser run:")
    assert "ALTER ROLE replytics_api SET log_min_error_statement = 'panic';" in statements
    with psycopg.connect(shop.url(SUPERUSER, "shop") or "", autocommit=True) as superuser:
        superuser.execute(statements)
    assert "Let a superuser run" not in create_roles(shop)
    found = {*settings_of(shop)}  # what the server has anyway is not set
    assert ("replytics_api", "log_min_error_statement=panic") in found <= {*WANTED}


def test_an_administrator_who_was_granted_the_settings_sets_them(shop: Cluster) -> None:
    names = ", ".join({name for settings in LOGIN_SETTINGS.values() for name in settings})
    with psycopg.connect(shop.url(SUPERUSER, "shop") or "", autocommit=True) as superuser:
        superuser.execute(f"GRANT SET ON PARAMETER {names} TO boss")
        try:
            assert "Let a superuser run" not in create_roles(shop)
        finally:
            superuser.execute(f"REVOKE SET ON PARAMETER {names} FROM boss")
    assert {*settings_of(shop)} == {*WANTED}


def test_what_a_login_set_and_its_password_are_set_back(shop: Cluster) -> None:
    create_roles(shop, **PASSWORDS)
    with psycopg.connect(url_of(shop, "replytics_web", "for-web"), autocommit=True) as web:
        web.execute("ALTER ROLE CURRENT_USER SET statement_timeout = 1")
        web.execute("ALTER ROLE CURRENT_USER IN DATABASE shop SET role = 'replytics_staff'")
        web.execute("ALTER ROLE CURRENT_USER PASSWORD 'mine'")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url_of(shop, "replytics_web", "for-web"))
    create_roles(shop, **PASSWORDS)
    with psycopg.connect(url_of(shop, "replytics_web", "for-web")) as web:
        row = web.execute("SELECT current_setting('statement_timeout'), current_user").fetchone()
    assert row == ("2h", "replytics_web")


def test_what_was_broken_is_repaired(shop: Cluster) -> None:
    create_roles(shop)
    with psycopg.connect(url_of(shop, "boss", "boss"), autocommit=True) as connection:
        connection.execute("GRANT replytics_staff TO replytics_api")
        connection.execute("ALTER ROLE replytics_web INHERIT NOLOGIN")
        create_roles(shop)
        row = connection.execute(
            "SELECT pg_has_role('replytics_api', 'replytics_staff', 'MEMBER'),"
            " pg_has_role('replytics_web', 'replytics_staff', 'USAGE'),"
            " (SELECT rolcanlogin FROM pg_roles WHERE rolname = 'replytics_web')"
        ).fetchone()
    assert row == (False, False, True)


def test_a_grant_that_it_may_not_revoke_is_said(shop: Cluster) -> None:
    create_roles(shop)
    with psycopg.connect(shop.url(SUPERUSER, "shop") or "", autocommit=True) as superuser:
        superuser.execute("GRANT replytics_staff TO replytics_api")
        if superuser.info.server_version >= 160000:
            assert "somebody else granted" in create_roles(shop)
        superuser.execute("REVOKE replytics_staff FROM replytics_api")
    assert "replytics_api: may not become" in create_roles(shop)
