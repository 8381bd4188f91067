"""A page that travels with the look-up of the key is the same, and never for the wrong key."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from tenancy import all_tenants, tenant
from tenants.api import authentication
from tenants.credentials import ApiKey, hash_secret
from tenants.models import PhoneNumber
from tests.api_client import Api, make_key, wait_for_a_young_minute
from tests.factories import make_call, make_line


@pytest.fixture
def bakery(committed: None) -> PhoneNumber:
    return make_line(id="pn_bakery")


@pytest.fixture
def key(bakery: PhoneNumber) -> str:
    for n in range(3):
        make_call(bakery, call_sid=f"bread{n}")
    text = make_key(bakery)
    for _ in range(2):
        assert ask(text).status_code == 200
    return text


def ask(key: str, query: Any = None, **options: Any) -> Any:
    return Api(f"Api-Key {key}").get("/calls/", query, **options)


def messages(key: str, query: Any = None) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert ask(key, query).status_code == 200
    return len(captured)


def test_one_message_a_page(key: str) -> None:
    assert messages(key) == 1
    cursor = ask(key, {"limit": 1}).json()["next"]
    following = {"limit": 1, "cursor": cursor}
    assert messages(key, following) == 2  # planned for the first time
    assert messages(key, following) == 1
    assert messages(key, {"status": "completed"}) == 2


def test_same_answer_as_one_by_one(key: str) -> None:
    for query in ({}, {"limit": 1}, {"order": "created_at"}, {"archived": "include"}):
        ask(key, query)
        ahead = ask(key, query)
        authentication._lines.clear()
        plain = ask(key, query)
        assert ahead.content == plain.content
        assert ahead.headers.keys() == plain.headers.keys()


def test_revoked_key_is_refused_by_the_next_request(key: str) -> None:
    with all_tenants("test"):
        ApiKey.objects.update(revoked_at=timezone.now())
    for _ in range(2):
        refused = ask(key)
        assert refused.status_code == 401
        assert b"bread" not in refused.content


def test_budget_holds(bakery: PhoneNumber, settings: Settings) -> None:
    settings.API_REQUESTS_PER_KEY = 4
    key = make_key(bakery)
    wait_for_a_young_minute()
    assert [ask(key).status_code for _ in range(7)] == [200] * 4 + [429] * 3


def test_secret_of_one_key_with_the_prefix_of_another(key: str, bakery: PhoneNumber) -> None:
    other_prefix = make_key(bakery).partition(".")[0]
    assert ask(f"{other_prefix}.{key.partition('.')[2]}").status_code == 401
    assert ask(key).status_code == 200


def test_key_that_moved_to_another_line_shows_the_other_line(key: str) -> None:
    """A guess that is wrong is found out, whatever made it wrong."""
    garage = make_line(id="pn_garage")
    make_call(garage, call_sid="tyres")
    garages = make_key(garage)
    authentication._lines[hash_secret(garages.partition(".")[2])] = "pn_bakery"
    for _ in range(2):
        assert [call["call_sid"] for call in ask(garages).json()["results"]] == ["tyres"]


def test_refusals_come_in_the_same_order(key: str, bakery: PhoneNumber) -> None:
    assert ask(key, {"cursor": "made-up"}).status_code == 400
    assert ask(key, {"limit": "0"}).status_code == 400
    assert ask(key, headers={"X-Phone-Id": "pn_garage"}).status_code == 404
    ingest = make_key(bakery, "ingest")
    assert [ask(ingest).status_code for _ in range(3)] == [403] * 3
    assert [ask(f"{'0' * 12}.{'x' * 43}", {"limit": "0"}).status_code for _ in range(2)] == [
        401
    ] * 2


def test_lines_take_turns_on_one_connection(key: str) -> None:
    garage = make_line(id="pn_garage")
    make_call(garage, call_sid="tyres")
    garages = make_key(garage)
    for _ in range(4):
        assert b"tyres" not in ask(key).content
        assert b"bread" not in ask(garages).content
    with tenant("pn_bakery"):
        assert ApiKey.objects.get().last_used_at is not None
