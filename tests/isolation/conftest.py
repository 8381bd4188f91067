"""Connections that the product itself never opens."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connections


@pytest.fixture
def administrator(django_db_setup: None) -> Iterator[psycopg.Connection]:
    """A superuser in the test database, in a transaction that is rolled back."""
    url = os.environ.get("ADMIN_DATABASE_URL")
    if not url:
        pytest.skip("ADMIN_DATABASE_URL names no superuser of this server")
    name = connections["owner"].settings_dict["NAME"]
    with psycopg.connect(
        urlsplit(url)._replace(path=f"/{name}").geturl(), cursor_factory=psycopg.ClientCursor
    ) as connection:
        yield connection
        connection.rollback()
