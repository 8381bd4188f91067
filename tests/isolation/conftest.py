"""Two lines with a committed row of every model, and the count of what was asserted."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.db.models import Model
from pytest_django.plugin import DjangoDbBlocker

from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests import pooler
from tests.conftest import administrating, committing
from tests.isolation.rows import MAKERS, make_rows


class Lines:
    """A line, another one, and the rows of both."""

    def __init__(self, line: PhoneNumber, other: PhoneNumber) -> None:
        self.line = line
        self.other = other
        self.ids = {line.pk, other.pk}

    def row(self, model: Any, line: PhoneNumber | None = None) -> Any:
        """A fresh instance of the model's row of the line."""
        with all_tenants("test"):
            return model.objects.get(**{model.line_field: (line or self.line).pk})


@pytest.fixture(scope="module")
def lines(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Lines]:
    with committing(django_db_blocker):
        yield Lines(*make_rows())


@pytest.fixture
def count_assertion(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Called when one held, or with how many did; the end of the run shows the sum."""

    def count(held: int = 1) -> None:
        record_property("assertion", held)

    return count


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "model" in metafunc.fixturenames:
        models: list[type[Model]] = list(MAKERS)
        metafunc.parametrize("model", models, ids=[model.__name__ for model in models])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counted = sum(
        held
        for report in terminalreporter.getreports("passed")
        for name, held in report.user_properties
        if name == "assertion"
    )
    if counted:
        terminalreporter.write_line(f"isolation: {counted} assertions of the table held")


@contextmanager
def another_way(name: str, **changes: Any) -> Iterator[str]:
    """A database alias that differs from "default" in some settings."""
    settings = copy.deepcopy(connections["default"].settings_dict)
    options = settings["OPTIONS"] | changes.pop("OPTIONS", {})
    connections.settings[name] = settings | changes | {"OPTIONS": options}
    try:
        yield name
    finally:
        connection: Any = connections[name]
        connection.close()
        connection.close_pool()
        del connections[name]
        del connections.settings[name]


@pytest.fixture(scope="module")
def pgbouncer_port(lines: Lines) -> Iterator[int]:
    """A pgbouncer with two server connections; skips where it is not installed."""
    if pooler.PROGRAM is None:
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    with pooler.pgbouncer(connections["default"].settings_dict, pool_size=2) as port:
        yield port


WAYS = ["direct", "psycopg pool", "pgbouncer", "psycopg pool and pgbouncer"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, lines: Lines) -> Iterator[str]:
    """Each way to the database in turn: an alias of Django's."""
    changes: dict[str, Any] = {"CONN_MAX_AGE": None}
    if "psycopg pool" in request.param:
        changes = {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"min_size": 1, "max_size": 2}}}
    if "pgbouncer" in request.param:
        changes["HOST"] = "127.0.0.1"
        changes["PORT"] = str(request.getfixturevalue("pgbouncer_port"))
    with another_way("way", **changes) as alias:
        yield alias


@pytest.fixture
def administrator(django_db_setup: None) -> Iterator[psycopg.Connection]:
    """A superuser in the test database, in a transaction that is rolled back."""
    with administrating() as connection:
        connection.autocommit = False
        connection.cursor_factory = psycopg.ClientCursor
        yield connection
        connection.rollback()
