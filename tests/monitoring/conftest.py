"""Sessions of their own beside the test's, and what they plant in the database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client

from monitoring.findings import Finding
from monitoring.report import examine

Execute = Callable[[str], None]
Connect = Callable[..., "psycopg.Connection[Any]"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """One worker runs them all: rights and counters of the server are those of every database."""
    item.add_marker(pytest.mark.xdist_group("monitoring"))


@pytest.fixture
def connect(committed: None) -> Iterator[Connect]:
    """Opens sessions of a login ("default" or "owner"); they end with the test."""
    with ExitStack() as opened:

        def connect(alias: str = "default", *, name: str = "planted") -> "psycopg.Connection[Any]":
            at = connections[alias].settings_dict
            session = psycopg.connect(
                host=at["HOST"],
                port=at["PORT"],
                user=at["USER"],
                password=at["PASSWORD"],
                dbname=at["NAME"],
                application_name=name,
                autocommit=True,
            )
            opened.callback(session.close)
            return session

        yield connect


@pytest.fixture
def planted(committed: None) -> Iterator[Execute]:
    """Executes statements as the owner, in the schema `planted`, which the test leaves empty."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS planted CASCADE; CREATE SCHEMA planted")
        cursor.execute("GRANT USAGE ON SCHEMA planted TO replytics_staff")
        try:
            yield cursor.execute
        finally:
            cursor.execute("DROP SCHEMA planted CASCADE")


@pytest.fixture
def finding(committed: None) -> Callable[[str], Finding]:
    """The finding of one metric in a report of now."""

    def finding(metric: str) -> Finding:
        [found] = [finding for finding in examine().findings if finding.metric == metric]
        return found

    return finding


def browser(*permissions: str) -> Client:
    """Of a member of staff who has these permissions alone."""
    user = User.objects.create_user("-".join(permissions) or "agent", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client
