"""What every endpoint of the API has: a count of statements, a budget, safety when repeated."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from api import rate_limit
from api.permissions import KeyScope
from tenancy import tenant
from tenants.api import authentication
from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    ConversationRule,
    PhoneNumber,
    SpecialDay,
    TransferPlace,
    VoiceSettings,
)
from tests.api_client import Api, api_of, wait_for_a_young_minute
from tests.factories import make_call
from tests.isolation.test_api_matrix import endpoints

HOURS = {"day_of_week": 3, "open_time": "09:00", "close_time": "17:00"}
PLACE = {"name": "Front desk", "number": "+14155550123"}
INTERVAL = {"day_of_week": 3, "open_time": "18:00", "close_time": "20:00"}
SPECIAL = {"date": "2026-12-24", "intervals": [{"open_time": "09:00", "close_time": "12:00"}]}
RULE = {"rule_type": "greeting", "actions": {"say": "Hello"}}
# Route, method, body: statements at most, not counting where a transaction begins and ends.
# Beside the look-up, a change locks its row, writes it and reads what the database made of it.
COUNTS: dict[tuple[str, str], tuple[Any, int]] = {
    ("calls/", "GET"): (None, 2),
    ("calls/<uuid:call_id>/", "GET"): (None, 2),
    ("calls/<uuid:call_id>/", "PATCH"): ({"ai_summary": "Bread"}, 3),
    ("calls/<uuid:call_id>/metadata/", "GET"): (None, 2),
    ("calls/<uuid:call_id>/metadata/", "PATCH"): ({"metadata": {"a": 1}}, 5),
    ("calls/by-sid/<str:call_sid>/", "PUT"): ({"ai_summary": "Bread"}, 4),
    ("phone-number/", "GET"): (None, 2),
    ("phone-number/", "PATCH"): ({"display_name": "Bread"}, 4),
    ("voice-settings/", "GET"): (None, 2),
    ("voice-settings/", "PUT"): ({"voice_name": "Nova"}, 4),
    ("voice-settings/", "PATCH"): ({"voice_name": "Nova"}, 4),
    ("conversation-rules/", "GET"): (None, 2),
    ("conversation-rules/", "POST"): (RULE, 5),
    ("conversation-rules/order/", "POST"): (lambda ids: {"rules": ids["all rules"].split()}, 3),
    ("conversation-rules/schemas/", "GET"): (None, 1),
    ("conversation-rules/backtest/", "POST"): ({"rules": [RULE]}, 6),
    ("conversation-rules/<uuid:pk>/", "GET"): (None, 2),
    ("conversation-rules/<uuid:pk>/", "PUT"): (RULE, 4),
    ("conversation-rules/<uuid:pk>/", "PATCH"): ({"priority": 3}, 4),
    ("conversation-rules/<uuid:pk>/", "DELETE"): (None, 3),
    ("transfer-places/", "GET"): (None, 2),
    ("transfer-places/", "POST"): (PLACE | {"name": "Kitchen"}, 7),
    ("transfer-places/<uuid:pk>/", "GET"): (None, 2),
    ("transfer-places/<uuid:pk>/", "PUT"): (PLACE, 6),
    ("transfer-places/<uuid:pk>/", "PATCH"): ({"name": "Desk"}, 6),
    ("transfer-places/<uuid:pk>/", "DELETE"): (None, 3),
    ("business-hours/", "GET"): (None, 3),
    ("business-hours/", "POST"): (HOURS | {"day_of_week": 6}, 5),
    ("business-hours/", "PUT"): ({"days": [HOURS | {"day_of_week": n} for n in range(7)]}, 10),
    ("business-hours/backtest/", "POST"): ({"business_hours": [HOURS]}, 6),
    ("business-hours/<uuid:pk>/", "GET"): (None, 2),
    ("business-hours/<uuid:pk>/", "PUT"): (HOURS | {"day_of_week": 5}, 4),
    ("business-hours/<uuid:pk>/", "PATCH"): ({"close_time": "18:00"}, 4),
    ("business-hours/<uuid:pk>/", "DELETE"): (None, 3),
    ("business-hours/calendar/", "GET"): (None, 2),
    ("business-hours-intervals/", "GET"): (None, 2),
    ("business-hours-intervals/", "POST"): (INTERVAL | {"day_of_week": 6}, 5),
    ("business-hours-intervals/<uuid:pk>/", "GET"): (None, 2),
    ("business-hours-intervals/<uuid:pk>/", "PUT"): (INTERVAL, 4),
    ("business-hours-intervals/<uuid:pk>/", "PATCH"): ({"close_time": "21:00"}, 4),
    ("business-hours-intervals/<uuid:pk>/", "DELETE"): (None, 3),
    ("special-days/", "GET"): (None, 3),
    ("special-days/", "POST"): (SPECIAL | {"date": "2026-12-31"}, 7),
    ("special-days/holidays/", "GET"): (None, 4),
    ("special-days/holidays/", "POST"): ({"country": "DE", "year": 2026}, 8),
    ("special-days/<uuid:pk>/", "GET"): (None, 3),
    ("special-days/<uuid:pk>/", "PUT"): (SPECIAL, 8),
    ("special-days/<uuid:pk>/", "PATCH"): ({"label": "Eve"}, 6),
    ("special-days/<uuid:pk>/", "DELETE"): (None, 4),
    ("calls/<uuid:call_id>/decisions/", "GET"): (None, 3),
    ("decide/", "POST"): ({"call_sid": "CA1", "caller": "+14155550142"}, 4),
    ("stats/daily/?first=2026-03-01&last=2026-03-31", "GET"): (None, 7),
    ("stats/hourly/?since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z", "GET"): (None, 7),
    ("stats/outcomes/?first=2026-03-01&last=2026-03-31", "GET"): (None, 5),
    ("stats/summary/", "GET"): (None, 3),
}
# They need no Idempotency-Key.
SAFE_TO_REPEAT = {"decide/", "conversation-rules/backtest/", "business-hours/backtest/"}


@pytest.fixture
def ids(line: PhoneNumber) -> dict[str, str]:
    with tenant(line.pk):
        VoiceSettings.objects.create(phone=line)
        rule = ConversationRule.objects.create(phone=line, **RULE)
        for day in range(6):
            hours = BusinessHours.objects.create(phone=line, **HOURS | {"day_of_week": day})
        place = TransferPlace.objects.create(phone=line, **PLACE)
        further = BusinessHoursInterval.objects.create(phone=line, **INTERVAL)
        special = SpecialDay.objects.create(phone=line, date=SPECIAL["date"])
        rules = [ConversationRule.objects.create(phone=line, **RULE) for _ in range(3)]
    call = make_call(line, call_sid="CA1", metadata={"tags": ["vip"]})
    for _ in range(3):
        make_call(line)
    return {
        "conversation-rules": str(rule.pk),
        "business-hours": str(hours.pk),
        "business-hours-intervals": str(further.pk),
        "special-days": str(special.pk),
        "transfer-places": str(place.pk),
        "calls": str(call.pk),
        "all rules": " ".join(str(each.pk) for each in (rule, *rules)),
    }


def test_every_endpoint_has_a_count() -> None:
    assert {(route.partition("?")[0], method) for route, method in COUNTS} == set(endpoints())


def request(api: Api, ids: dict[str, str], route: str, method: str, **options: Any) -> Any:
    pk = ids.get(route.partition("/")[0], "")
    path = route.replace("<uuid:pk>", pk).replace("<uuid:call_id>", pk)
    path = path.replace("<str:call_sid>", "CA1")
    body, _ = COUNTS[route, method]
    body = body(ids) if callable(body) else body
    return api.request(method, f"/{path}", body, content_type="application/json", **options)


@pytest.mark.parametrize(("route", "method"), COUNTS)
def test_statements_of_an_endpoint(
    line: PhoneNumber,
    ids: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    route: str,
    method: str,
) -> None:
    """Within the second in which the key was looked up; the reservation of requests is one."""
    for module in (authentication, rate_limit):
        now = module.clock()
        monkeypatch.setattr(module, "clock", lambda now=now: now)
    api = api_of(line, *KeyScope.values)
    api.get("/conversation-rules/schemas/")  # notes the key's use
    with CaptureQueriesContext(connection) as captured:
        response = request(api, ids, route, method)
    assert response.status_code < 300, response.content
    statements = [query["sql"] for query in captured.captured_queries]
    statements = [sql for sql in statements if "SAVEPOINT" not in sql]
    assert len(statements) <= COUNTS[route, method][1], "\n".join(statements)


@pytest.mark.parametrize(("route", "method"), COUNTS)
def test_every_endpoint_keeps_to_the_budget(
    line: PhoneNumber, ids: dict[str, str], settings: Settings, route: str, method: str
) -> None:
    settings.API_REQUESTS_PER_KEY = 1
    api = api_of(line, *KeyScope.values)
    wait_for_a_young_minute()
    allowed, refused = (request(api, ids, route, method) for _ in range(2))
    assert allowed.status_code < 300
    assert (refused.status_code, refused["RateLimit"][:10]) == (429, '"key";r=0;')


@pytest.mark.parametrize(
    ("route", "method"),
    [
        key
        for key in COUNTS
        if (key[1] == "POST" and key[0] not in SAFE_TO_REPEAT)
        or key[0].startswith("calls/by-sid/")
    ],
)
def test_a_repeated_request_is_answered_as_the_first_was(
    line: PhoneNumber, ids: dict[str, str], route: str, method: str
) -> None:
    api = api_of(line, *KeyScope.values)
    headers = {"Idempotency-Key": "once"}
    first, again = (request(api, ids, route, method, headers=headers) for _ in range(2))
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.json()) == (first.status_code, first.json())
