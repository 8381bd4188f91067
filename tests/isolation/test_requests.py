"""A request begins and ends without a line, whatever happens in between."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from calls.models import Call
from tenancy import NoTenantActive, active_scope, tenant
from tests.isolation.conftest import Lines

pytestmark = pytest.mark.urls("tests.isolation.urls")


@pytest.fixture
def client(lines: Lines) -> Client:
    return Client(raise_request_exception=False)


def asked(line: str) -> dict[str, str]:
    return {"X-Line": line}


def test_credentials_name_the_line(lines: Lines, client: Client) -> None:
    for line in (lines.line.pk, lines.other.pk):
        response = client.get("/test/calls/", headers=asked(line))
        assert response.json() == {"orm": [line], "sql": [line]}
        assert active_scope() is None


def test_without_credentials_no_row_is_read(lines: Lines, client: Client) -> None:
    assert client.get("/test/calls/").status_code == 403
    assert client.get("/test/without-scope/").status_code == 403


def test_an_error_ends_the_scope(lines: Lines, client: Client) -> None:
    assert client.get("/test/calls/?error", headers=asked(lines.line.pk)).status_code == 500
    assert active_scope() is None
    assert client.get("/test/without-scope/").status_code == 403


def test_a_request_does_not_change_lines(lines: Lines, client: Client) -> None:
    assert client.get("/test/calls/?twice", headers=asked(lines.line.pk)).status_code == 500


def test_a_request_does_not_see_the_scope_around_it(lines: Lines, client: Client) -> None:
    with tenant(lines.line.pk):
        assert client.get("/test/without-scope/").status_code == 403
        assert Call.objects.count() == 1


def test_streamed_rows_are_of_the_requests_line(lines: Lines, client: Client) -> None:
    response: Any = client.get("/test/streamed/", headers=asked(lines.line.pk))
    assert active_scope() is None
    assert b"".join(response.streaming_content) == f"{lines.line.pk}\n".encode()
    forgotten: Any = client.get("/test/streamed/?forgotten", headers=asked(lines.line.pk))
    with pytest.raises(NoTenantActive):
        list(forgotten.streaming_content)


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    settings = connections["default"].settings_dict
    settings["ATOMIC_REQUESTS"] = True
    yield
    settings["ATOMIC_REQUESTS"] = False


def test_atomic_requests(lines: Lines, client: Client, atomic_requests: None) -> None:
    response = client.get("/test/in-transaction/", headers=asked(lines.line.pk))
    assert response.json() == {"atomic": True, "sql": [lines.line.pk]}
