"""A line's conversation rules and business hours over the API."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from api import idempotency_keys
from api.models import IdempotencyKey
from tenancy import all_tenants, tenant
from tenants.api.conversation_rules import ConversationRules
from tenants.models import BusinessHours, ConversationRule, PhoneNumber
from tenants.rules import TYPES, rule_errors, schemas
from tests.api_client import Api, api_of
from tests.factories import make_line

GREETING = {"rule_type": "greeting", "actions": {"say": "Hello."}}

GREETING = {"rule_type": "greeting", "actions": {"say": "Hello"}}


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line)


def test_rule_is_made_read_changed_and_deleted(api: Api) -> None:
    made = api.post("/conversation-rules/", GREETING | {"conditions": {"urgency": "high"}})
    assert made.status_code == 201
    path = made["Location"].removeprefix("/api/v1")
    body = made.json()
    assert (body["priority"], body["is_active"], body["phone_id"]) == (0, True, "pn_bakery")
    assert api.get(path).json() == body
    changed = api.patch(path, {"is_active": False}, headers={"If-Match": made["ETag"]})
    assert changed.json() == body | {"is_active": False}
    assert api.put(path, GREETING).json()["conditions"] == {}
    lost = api.delete(path, headers={"If-Match": made["ETag"]})
    assert lost.status_code == 412
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_rules_are_listed_in_the_order_in_which_they_are_tried(api: Api) -> None:
    ids = [
        api.post("/conversation-rules/", GREETING | {"priority": priority}).json()["id"]
        for priority in (1, 3, 2)
    ]
    low, high, middle = ids
    listed = api.get("/conversation-rules/").json()["results"]
    assert [rule["id"] for rule in listed] == [high, middle, low]
    ordered = api.post("/conversation-rules/order/", {"rules": [low, middle, high]})
    assert [rule["priority"] for rule in ordered.json()["results"]] == [3, 2, 1]
    listed = api.get("/conversation-rules/").json()["results"]
    assert [rule["id"] for rule in listed] == [low, middle, high]
    for wrong in ([low, middle], [low, low, middle], [low, middle, high, low]):
        response = api.post("/conversation-rules/order/", {"rules": wrong})
        assert response.json()["errors"][0]["pointer"] == "#/rules"


@pytest.mark.parametrize(
    ("rule", "pointer"),
    [
        ({"rule_type": "greeting", "actions": {}}, "#/actions"),
        ({"rule_type": "greeting"}, "#/actions"),
        ({"rule_type": "sing", "actions": {"say": "la"}}, "#/rule_type"),
        ({"rule_type": "greeting", "actions": {"say": 5}}, "#/actions/say"),
        ({"rule_type": "greeting", "actions": {"say": "Hi", "sing": 1}}, "#/actions"),
        (GREETING | {"conditions": {"moon": "full"}}, "#/conditions"),
        (GREETING | {"conditions": {"any": [{"urgency": "so"}]}}, "#/conditions/any/0/urgency"),
        (GREETING | {"conditions": []}, "#/conditions"),
        (GREETING | {"priority": 2**31}, "#/priority"),
        (GREETING | {"priority": 1.5}, "#/priority"),
        (GREETING | {"is_active": "perhaps"}, "#/is_active"),
        ({"rule_type": "transfer", "actions": {"say": "Bye"}}, "#/actions"),
        ({"rule_type": "routing", "actions": {}}, "#/actions"),
    ],
)
def test_wrong_rule_is_pointed_at(api: Api, rule: dict[str, Any], pointer: str) -> None:
    response = api.post("/conversation-rules/", rule)
    assert response.status_code == 400
    assert pointer in [error["pointer"] for error in response.json()["errors"]]


def test_a_changed_type_is_checked_against_the_actions_that_stay(api: Api) -> None:
    path = api.post("/conversation-rules/", GREETING)["Location"].removeprefix("/api/v1")
    assert api.patch(path, {"rule_type": "transfer"}).status_code == 400
    moved = {"rule_type": "transfer", "actions": {"transfer_to": "+14155550123"}}
    assert api.patch(path, moved).status_code == 200


def test_schemas_are_published(api: Api) -> None:
    published = api.get("/conversation-rules/schemas/").json()
    assert published == schemas()
    assert set(published) == set(TYPES) == {value for value, _ in rule_type_choices()}
    assert list(rule_errors("greeting", conditions={}, actions={"say": "Hi"})) == []


def rule_type_choices() -> Any:
    return ConversationRule._meta.get_field("rule_type").choices


def test_idempotency_key_makes_one_rule(api: Api, line: PhoneNumber) -> None:
    headers = {"Idempotency-Key": "make-1"}
    first = api.post("/conversation-rules/", GREETING, headers=headers)
    again = api.post("/conversation-rules/", GREETING, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
    assert again["Idempotency-Replayed"] == "true"
    with tenant(line.pk):
        assert ConversationRule.objects.count() == 1
    other = api.post("/conversation-rules/", GREETING | {"priority": 1}, headers=headers)
    assert other.status_code == 422
    refused = {"Idempotency-Key": "make-2"}
    assert api.post("/conversation-rules/", {}, headers=refused).status_code == 400
    assert api.post("/conversation-rules/", GREETING, headers=refused).status_code == 201


MONDAY = {"day_of_week": 1, "open_time": "09:00", "close_time": "17:30"}


def test_hours_of_a_day(api: Api) -> None:
    made = api.post("/business-hours/", MONDAY)
    assert made.status_code == 201
    assert made.json()["open_time"] == "09:00:00"
    path = made["Location"].removeprefix("/api/v1")
    assert api.patch(path, {"is_closed": True}).json()["is_closed"] is True
    twice = api.post("/business-hours/", MONDAY)
    assert (twice.status_code, twice["Content-Type"]) == (409, "application/problem+json")
    assert "already has hours" in twice.json()["detail"]
    assert api.delete(path).status_code == 204


def test_the_whole_week_at_once(api: Api, line: PhoneNumber, other_line: PhoneNumber) -> None:
    with all_tenants("test"):
        BusinessHours.objects.create(phone=other_line, **MONDAY)
    monday = api.post("/business-hours/", MONDAY).json()
    api.post("/business-hours/", MONDAY | {"day_of_week": 0})
    week = [MONDAY | {"day_of_week": day, "timezone": "Europe/Berlin"} for day in (2, 1)]
    etag = api.get("/business-hours/")["ETag"]
    saved = api.put("/business-hours/", {"days": week}, headers={"If-Match": etag})
    assert [day["day_of_week"] for day in saved.json()["results"]] == [1, 2]
    assert saved.json()["results"][0] == monday | {"timezone": "Europe/Berlin"}
    lost = api.put("/business-hours/", {"days": []}, headers={"If-Match": etag})
    assert lost.status_code == 412
    assert api.put("/business-hours/", {"days": []}).json() == {"results": [], "intervals": []}
    with tenant(other_line.pk):
        assert BusinessHours.objects.count() == 1


@pytest.mark.parametrize(
    ("days", "pointer"),
    [
        ([MONDAY, MONDAY], "#/days"),
        ([MONDAY | {"day_of_week": 7}], "#/days/0/day_of_week"),
        ([MONDAY, MONDAY | {"day_of_week": 2, "open_time": "25:00"}], "#/days/1/open_time"),
        ([MONDAY | {"timezone": "nowhere"}], "#/days/0/timezone"),
        ([MONDAY] * 8, "#/days"),
        ("Monday", "#/days"),
    ],
)
def test_wrong_week_is_pointed_at_and_changes_nothing(api: Api, days: Any, pointer: str) -> None:
    api.post("/business-hours/", MONDAY)
    response = api.put("/business-hours/", {"days": days})
    assert response.status_code == 400
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert len(api.get("/business-hours/").json()["results"]) == 1


def test_additions_at_the_same_moment_stay_within_the_limit(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ConversationRules, "max_rows", 3)
    line = make_line()
    api = api_of(line)
    for _ in range(2):
        assert api.post("/conversation-rules/", GREETING).status_code == 201
    start = threading.Barrier(6)

    def post(_: int) -> int:
        try:
            start.wait()
            return int(api_of(line).post("/conversation-rules/", GREETING).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(post, range(6)))
    assert answers == [201, 409, 409, 409, 409, 409]
    with all_tenants("test"):
        assert ConversationRule.objects.count() == 3


def test_an_idempotency_key_that_is_forgotten_meanwhile_is_free_again(committed: None) -> None:
    """Between the look whether it is taken and the one at its answer."""
    line = make_line()
    api, headers = api_of(line), {"Idempotency-Key": "yesterday"}
    assert api.post("/conversation-rules/", GREETING, headers=headers).status_code == 201
    forgotten: list[Any] = []

    def delete() -> None:
        with all_tenants("test"):
            forgotten.append(IdempotencyKey.objects.all().delete()[0])
        connections.close_all()

    def forget(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql == idempotency_keys.CLAIM and not forgotten:
            with ThreadPoolExecutor(1) as another:
                another.submit(delete).result()
        return result

    with connection.execute_wrapper(forget):
        answer = api.post("/conversation-rules/", GREETING, headers=headers)
    assert forgotten == [1]
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer
    with tenant(line.pk):
        assert ConversationRule.objects.count() == 2


def test_a_whole_number_may_be_written_with_a_fraction_of_zero(api: Api) -> None:
    text = (
        '{"rule_type": "greeting", "actions": {"say": "Hi"}, "conditions": {"day_of_week": [%s]}}'
    )
    assert api.post("/conversation-rules/", text % "0.0, 2").status_code == 201
    assert api.post("/conversation-rules/", text % "0.5").status_code == 400
