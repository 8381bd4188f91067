"""What nginx refuses itself: problem details for programs, a page for people."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.behind_nginx import Services, all_services

# One worker runs them all, and prepares for them once.
pytestmark = pytest.mark.xdist_group("nginx_errors")

HOST = "Host: 127.0.0.1\r\nConnection: close\r\n"
LONG = "a" * 9_000
# What is sent after the method and the address.
REQUESTS = {
    414: ("{path}?q=" + LONG, ""),
    431: ("{path}", f"Cookie: x={LONG * 4}\r\n"),
    413: ("{path}", "Content-Length: 99000000\r\n"),
    400: ("{path}", "Content-Length: many\r\n"),
}


@pytest.fixture(scope="module")
def services(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Services]:
    with django_db_blocker.unblock(), all_services() as started:
        yield started


def exchange(services: Services, request: str) -> tuple[int, dict[str, str], bytes]:
    with socket.create_connection(("127.0.0.1", services.port), timeout=60) as connection:
        connection.sendall(request.encode())
        answer = b""
        # nginx resets the connection of a body that it waited for in vain.
        with suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


@pytest.mark.parametrize("path", ["/api/v1/calls/", "/webhooks/voice/", "/admin/calls/call/"])
@pytest.mark.parametrize("code", REQUESTS)
def test_a_request_that_nginx_refuses(services: Services, code: int, path: str) -> None:
    address, header = REQUESTS[code]
    method = "POST" if code == 413 else "GET"
    request = f"{method} {address.format(path=path)} HTTP/1.1\r\n{HOST}{header}\r\n"
    status, headers, body = exchange(services, request)
    assert status == code
    assert b"nginx" not in body
    assert headers["cache-control"] == "no-store"
    if path.startswith("/admin/"):
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert b"<h1>" in body
        return
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert problem["status"] == code
    assert {"type", "title", "detail"} <= problem.keys()


def test_a_query_as_long_as_nginx_allows_reaches_the_service(services: Services) -> None:
    tags = "&".join(f"tags={'a' * 95}" for _ in range(20))
    request = f"GET /api/v1/calls/?{tags}&q={'b' * 5_000} HTTP/1.1\r\n{HOST}\r\n"
    status, _, body = exchange(services, request)
    assert (status, json.loads(body)["status"]) == (401, 401)
