"""What nginx refuses itself: problem details for programs, a page for people."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

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
    405: ("{path}", ""),
    501: ("{path}", "Transfer-Encoding: gzip\r\n"),
    505: ("{path}", ""),
}
METHODS = {413: "POST", 405: "TRACE"}


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


def check_page(headers: dict[str, str], body: bytes) -> None:
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert b"<h1>" in body
    assert b"nginx" not in body


@pytest.mark.parametrize("path", ["/api/v1/calls/", "/webhooks/voice/", "/admin/calls/call/"])
@pytest.mark.parametrize("code", REQUESTS)
def test_a_request_that_nginx_refuses(services: Services, code: int, path: str) -> None:
    address, header = REQUESTS[code]
    method, version = METHODS.get(code, "GET"), "3.0" if code == 505 else "1.1"
    request = f"{method} {address.format(path=path)} HTTP/{version}\r\n{HOST}{header}\r\n"
    status, headers, body = exchange(services, request)
    assert status == code
    assert b"nginx" not in body
    assert headers["cache-control"] == "no-store"
    assert "retry-after" not in headers
    if path.startswith("/admin/"):
        check_page(headers, body)
        return
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert problem["status"] == code
    assert {"type", "title", "detail"} <= problem.keys()


@pytest.mark.parametrize(
    ("code", "method", "path", "header"),
    [
        (404, "GET", "/static/nothing.js", ""),
        (403, "GET", "/static/", ""),
        (405, "POST", "/static/backoffice/backoffice.js", "Content-Length: 0\r\n"),
        (412, "GET", "/static/backoffice/backoffice.js", 'If-Match: "other"\r\n'),
        (416, "GET", "/static/backoffice/backoffice.js", "Range: bytes=90000000-\r\n"),
    ],
)
def test_a_file_that_nginx_does_not_serve(
    services: Services, code: int, method: str, path: str, header: str
) -> None:
    request = f"{method} {path} HTTP/1.1\r\n{HOST}{header}\r\n"
    status, headers, body = exchange(services, request)
    assert status == code
    check_page(headers, body)


def test_a_login_beside_too_many_others(services: Services) -> None:
    head = f"POST /admin/login/ HTTP/1.1\r\n{HOST}Content-Length: 9\r\n\r\n"
    with ExitStack() as held:
        for _ in range(4):  # which have not sent their bodies yet
            login = socket.create_connection(("127.0.0.1", services.port), timeout=60)
            held.enter_context(login).sendall(head.encode())
        while (answer := exchange(services, f"{head}username="))[0] != 429:
            pass  # nginx has not read them all
    _, headers, body = answer
    check_page(headers, body)
    assert int(headers["retry-after"]) > 0


def test_errors_of_the_services_are_their_own(services: Services) -> None:
    request = f"POST /api/v1/calls/ HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n"
    status, _, body = exchange(services, request)
    assert (status, json.loads(body)["detail"]) == (405, 'Method "POST" not allowed.')
    status, _, body = exchange(services, f"GET /none/ HTTP/1.1\r\n{HOST}\r\n")
    assert status == 404
    assert b"There is no file" not in body


def test_a_query_as_long_as_nginx_allows_reaches_the_service(services: Services) -> None:
    tags = "&".join(f"tags={'a' * 95}" for _ in range(20))
    request = f"GET /api/v1/calls/?{tags}&q={'b' * 5_000} HTTP/1.1\r\n{HOST}\r\n"
    status, _, body = exchange(services, request)
    assert (status, json.loads(body)["status"]) == (401, 401)
