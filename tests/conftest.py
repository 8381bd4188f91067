"""The fixed cast of the tests: two lines, and the people around them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

import _pytest.fixtures
import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from api.rate_limit import forget_leases
from tenancy import all_tenants
from tenancy.scope import GENERATOR_DRIVERS
from tenants.api.authentication import forget_credentials
from tenants.models import PhoneNumber
from tests.factories import make_line
from tests.server import TEMPLATE

# All but what migrations wrote.
KEPT = (
    *("django_migrations", "django_content_type"),
    *("auth_permission", "auth_group", "auth_group_permissions"),
)
# Nothing is emptied while a call is under legal hold.
EMPTY_TABLES = f"""
SET ROLE replytics_staff;
UPDATE legal_holds SET released_by = 'test', release_reason = 'over' WHERE released_at IS NULL;
RESET ROLE;
DO $$ BEGIN
    EXECUTE (SELECT 'TRUNCATE ' || string_agg(oid::regclass::text, ', ') FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition AND relname NOT IN {KEPT});
END $$
"""
REFRESH = "REFRESH MATERIALIZED VIEW mv.phone_performance_summary"
# Tables, months of the archive and the view that have had a row since they were last emptied.
FILLED = f"""
SELECT oid::regclass::text, relkind = 'm', pg_relation_size(oid) FROM pg_class
WHERE relnamespace = ANY ('{{public, app, mv}}'::regnamespace[]) AND relkind IN ('r', 'm')
AND relname NOT IN {KEPT} AND pg_relation_size(oid) > 0
"""
FEW_ROWS = 500_000  # bytes of one table; of more, emptying takes less time than deleting

PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'calls_archive'::regclass
"""

# Of a test's database; None where nobody names a superuser of the server.
ADMINISTRATOR = os.environ.get("ADMIN_DATABASE_URL")

# Hashed a million times, each person of a test would cost a fifth of a second. The hash says how
# often, so that a server of the product accepts it.
PBKDF2PasswordHasher.iterations = 1

# Each client would look at all static files before its first request; the web servers do.
settings.WHITENOISE_AUTOREFRESH = True

# Fixtures are generators that pytest suspends inside the scope they enter.
GENERATOR_DRIVERS.add(_pytest.fixtures.__file__)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """The owner copies the migrated template, whichever login a test then asks for."""
    owner = connections["owner"].settings_dict
    name = owner["TEST"]["NAME"] or f"test_{owner['NAME']}"
    with django_db_blocker.unblock(), connections["owner"].cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
        connections["owner"].close()
    made_in = owner["NAME"]
    for alias in connections:
        connections[alias].settings_dict["NAME"] = name
        # On a slow machine too; the product gives up sooner.
        connections[alias].settings_dict["OPTIONS"]["connect_timeout"] = 30
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        owner["NAME"] = made_in
        with connections["owner"].cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')
        connections.close_all()


@pytest.fixture(autouse=True)
def forget_cached_credentials() -> None:
    """A process of the API remembers for a second who asked, and a test is shorter."""
    forget_credentials()
    forget_leases()


@pytest.fixture
def line(db: None) -> PhoneNumber:
    return make_line(id="pn_bakery", number="+14155550101", business_name="Bakery")


@pytest.fixture
def other_line(db: None) -> PhoneNumber:
    return make_line(id="pn_garage", number="+14155550202", business_name="Garage")


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.com", "correct horse")


@pytest.fixture
def support_agent(db: None) -> User:
    return User.objects.create_user("agent", password="correct horse", is_staff=True)


@pytest.fixture
def back_office(superuser: User) -> Client:
    """A browser in which the superuser has logged in to the admin."""
    client = Client()
    client.force_login(superuser)
    return client


@contextmanager
def months_of_the_archive() -> Iterator[None]:
    """Those that the block makes are dropped after it; those that migrate made stay."""
    migrated = _migrated_months()
    try:
        yield
    finally:
        for month in _months() - migrated:
            with connections["owner"].cursor() as cursor:
                cursor.execute(f"DROP TABLE {month}")
        connections["owner"].close()


@cache
def _migrated_months() -> set[str]:
    """Asked for before the first block makes others."""
    return _months()


def _months() -> set[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(PARTITIONS)
        return {month for (month,) in cursor.fetchall()}


@contextmanager
def committing(blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database without a surrounding transaction: for threads, processes and real commits.

    What the test leaves behind is removed: a superuser deletes a few rows in a tenth of the time
    that the owner needs to empty every table.
    """
    with blocker.unblock(), months_of_the_archive():
        try:
            yield
        finally:
            connections.close_all()
            if not _delete_few_rows():
                with connections["owner"].cursor() as cursor:
                    cursor.execute(EMPTY_TABLES)
                    cursor.execute(REFRESH)


def _delete_few_rows() -> bool:
    """Without triggers; False, and nothing is deleted, where nobody may or rows are many."""
    if not ADMINISTRATOR:
        return False
    with administrating() as session:
        filled = session.execute(FILLED).fetchall()
        if any(size > FEW_ROWS for _, _, size in filled):
            return False
        session.execute("SET session_replication_role = replica")
        for name, is_view, _ in filled:
            session.execute(REFRESH if is_view else f"DELETE FROM {name}")
    return True


@contextmanager
def administrating() -> Iterator["psycopg.Connection[Any]"]:
    """A superuser's session on the test database; skips the test where nobody names one."""
    if not ADMINISTRATOR:
        pytest.skip("ADMIN_DATABASE_URL names no superuser of this server")
    name = connections["default"].settings_dict["NAME"]
    url = urlsplit(ADMINISTRATOR)._replace(path=f"/{name}").geturl()
    with psycopg.connect(url, autocommit=True) as session:
        yield session


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with committing(django_db_blocker):
        yield


@pytest.fixture
def administrator(committed: None) -> Iterator["psycopg.Connection[Any]"]:
    with administrating() as session:
        yield session


@pytest.fixture
def record_figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Called with a line of counts or measurements, shows it at the end of the run."""
    return partial(record_property, "figures")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, figures in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(str(figures))


@pytest.fixture
def staff_scope() -> Iterator[None]:
    with all_tenants("test"):
        yield
