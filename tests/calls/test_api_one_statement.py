"""A list of calls is one statement, once its credentials are known for the second."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from api import rate_limit
from tenancy import tenant
from tenants.api import authentication
from tenants.credentials import ApiKey
from tenants.models import PhoneNumber
from tests.api_client import Api, make_key
from tests.factories import make_call, make_line


@pytest.fixture
def bakery(committed: None) -> PhoneNumber:
    return make_line(id="pn_bakery")


@pytest.fixture
def key(bakery: PhoneNumber, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> str:
    settings.API_REQUESTS_PER_KEY = settings.API_REQUESTS_PER_LINE = 100_000
    for clocked in (authentication, rate_limit):
        monkeypatch.setattr(clocked, "clock", lambda: 1000.5)
    for n in range(3):
        make_call(bakery, call_sid=f"bread{n}")
    text = make_key(bakery)
    with tenant(bakery.pk):
        credential = f"key:{ApiKey.objects.get().pk}"
    for _ in range(40):  # until the lease is for more than the test
        rate_limit.spend(credential=credential, phone_id=bakery.pk)
    assert ask(text).status_code == 200
    return text


def ask(key: str, query: Any = None, **options: Any) -> Any:
    return Api(f"Api-Key {key}").get("/calls/", query, **options)


def statements(key: str, query: Any = None) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert ask(key, query).status_code == 200
    return len(captured)


def test_one_statement_a_page(key: str) -> None:
    cursor = ask(key, {"limit": 1}).json()["next"]
    for query in ({}, {"limit": 1, "cursor": cursor}, {"status": "completed"}):
        assert statements(key, query) == 1


def test_secret_of_one_key_with_the_prefix_of_another(key: str, bakery: PhoneNumber) -> None:
    other_prefix = make_key(bakery).partition(".")[0]
    assert ask(f"{other_prefix}.{key.partition('.')[2]}").status_code == 401
    assert ask(key).status_code == 200


def test_refusals_come_in_the_same_order(key: str, bakery: PhoneNumber) -> None:
    assert ask(key, {"cursor": "made-up"}).status_code == 400
    assert ask(key, {"limit": "0"}).status_code == 400
    assert ask(key, headers={"X-Phone-Id": "pn_garage"}).status_code == 404
    ingest = make_key(bakery, "ingest")
    assert [ask(ingest, {"limit": "0"}).status_code for _ in range(2)] == [403] * 2
    assert ask(f"{'0' * 12}.{'x' * 43}", {"limit": "0"}).status_code == 401


def test_lines_take_turns_on_one_connection(key: str) -> None:
    garage = make_line(id="pn_garage")
    make_call(garage, call_sid="tyres")
    garages = make_key(garage)
    for _ in range(4):
        assert b"tyres" not in ask(key).content
        assert b"bread" not in ask(garages).content
    with tenant("pn_bakery"):
        assert ApiKey.objects.get().last_used_at is not None
