"""A request begins and ends without a line, whatever happens in between."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.test import AsyncClient, Client

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


def run_async(main: Any) -> Any:
    async def closing() -> Any:
        try:
            return await main
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(closing())


def test_asynchronous_requests(lines: Lines) -> None:
    async def main() -> None:
        client = AsyncClient(raise_request_exception=False)

        async def ask(path: str, line: str) -> Any:
            return await client.get(path, headers=asked(line))

        for path in ("/test/async/", "/test/calls/"):
            both = await asyncio.gather(
                *(ask(path, line) for line in (lines.line.pk, lines.other.pk) * 5)
            )
            assert [set(response.json()["orm"]) for response in both] == [
                {lines.line.pk},
                {lines.other.pk},
            ] * 5
        assert (await client.get("/test/async-without-scope/")).status_code == 403
        streamed = await ask("/test/async-streamed/", lines.line.pk)
        assert [chunk async for chunk in streamed.streaming_content] == [
            f"{lines.line.pk}\n".encode()
        ]
        assert active_scope() is None

    run_async(main())


def test_staff_on_an_asynchronous_server(lines: Lines) -> None:
    user = User.objects.create_superuser("async", password="correct horse")

    async def main() -> None:
        client = AsyncClient()
        assert (await client.get("/admin/login/")).status_code == 200
        assert (await client.get("/admin/")).status_code == 302
        await client.aforce_login(user)
        found = await client.get("/admin/line/?q=bakery")
        assert "Bakery" in found.content.decode()
        await client.post("/admin/line/", {"line": lines.line.pk})
        page = await client.get("/admin/")
        assert "Working in" in page.content.decode()

    run_async(main())
