"""Every refusal is a problem document, whoever refuses; nothing is cached; each has an id."""

import logging
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from api.document import _written
from tenants.api.line import PhoneNumberView
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of, wait_for_a_young_minute


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line)


def assert_problem(response: Any, status: int) -> Any:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Request-Id"]
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def test_refusals_of_requests(api: Api) -> None:
    path = "/phone-number/"
    assert_problem(api.patch(path, "{"), 400)
    assert_problem(api.patch(path, "[]"), 400)
    assert_problem(Api("").get(path), 401)
    assert_problem(api.get("/nothing-here/"), 404)
    assert_problem(api.get(path, headers={"Accept": "text/html"}), 406)
    assert_problem(api.patch(path, "{}", headers={"If-Match": '"old"'}), 412)
    assert_problem(api.patch(path, '{"display_name":"' + "x" * 200_000 + '"}'), 413)
    assert_problem(api.patch(path, "a=1", content_type="text/plain"), 415)
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        refused = api.request(method, path)
        assert_problem(refused, 405)
        assert refused["Allow"] == "GET, HEAD, PATCH"
    assert api.request("HEAD", path).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        '{"display_name": NaN}',
        '{"display_name": "a", "display_name": "b"}',
        '{"display_name": 1e999}',
        '{"display_name": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"a":' * 33 + "1" + "}" * 33,
        '{"a":' * 30_000 + "1" + "}" * 30_000,
        b'{"display_name": "\xff"}',
        "null",
    ],
)
def test_malformed_json_is_400(api: Api, body: Any) -> None:
    assert_problem(api.patch("/phone-number/", body), 400)


def test_busy_database_is_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OperationalError("server closed the connection; row of +14155550101")

    monkeypatch.setattr(PhoneNumberView, "find", fail)
    response = api.get("/phone-number/")
    assert "+1415" not in str(assert_problem(response, 503))
    assert response["Retry-After"] == "5"


def test_what_nobody_foresaw_is_500_without_details(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(PhoneNumberView, "find", fail)
    response = api.get("/phone-number/", headers={"X-Request-Id": "proxy-0001"})
    assert "secret" not in str(assert_problem(response, 500))
    assert response["X-Request-Id"] == "proxy-0001"
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_request_id_of_strangers_is_replaced() -> None:
    for given in ("short", "x" * 129, "a b c d e f", "new\tline-injected"):
        response = Client().get("/health/live", headers={"X-Request-Id": given})
        assert response["X-Request-Id"] != given
        assert len(response["X-Request-Id"]) == 32


def test_pages_outside_the_api_have_their_own_errors() -> None:
    assert Client().get("/nothing").headers["Content-Type"].startswith("text/html")


def test_budget_is_told_and_kept(line: PhoneNumber, settings: Settings) -> None:
    settings.API_REQUESTS_PER_KEY = 3
    settings.API_REQUESTS_PER_LINE = 5
    first, second = api_of(line), api_of(line)
    wait_for_a_young_minute()
    answers = [first.get("/phone-number/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"key";q=3;w=60, "line";q=5;w=60'
    assert answers[0]["RateLimit"].startswith('"key";r=2;t=')
    assert_problem(answers[3], 429)
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    # The line's own budget holds over all its keys; what was refused does not count.
    assert [second.get("/phone-number/").status_code for _ in range(3)] == [200, 200, 429]


def test_document_is_written_once() -> None:
    client, address = Client(), "/api/schema/"
    first = client.get(address)
    assert (first.status_code, first["Content-Type"]) == (200, "application/vnd.oai.openapi")
    assert first["Cache-Control"] == "public, max-age=300"
    assert client.get(f"{address}?lang=de&version=9").content == first.content
    as_json = client.get(address, headers={"Accept": "application/json"})
    assert as_json.json()["openapi"] == "3.1.1"
    assert _written.cache_info().currsize == 2


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_documentation_needs_no_other_server(page: str) -> None:
    response = Client().get(f"/api/{page}/")
    assert response.status_code == 200
    assert b"/static/drf_spectacular_sidecar/" in response.content
    assert b"https://" not in response.content
