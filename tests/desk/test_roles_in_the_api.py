"""Staff may do by the API what docs/permissions.md lets them do in the admin, and nothing else."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import URLPattern, get_resolver

from desk.roles import ROLES
from tenancy import all_tenants
from tenants.models import BusinessHours, ConversationRule, PhoneNumber
from tests.api_client import API
from tests.desk.test_roles import promised
from tests.factories import make_call

CALLS = [("calls", "view"), ("archived calls", "view")]
METADATA = [("call metadata", "view"), ("archived calls", "view")]
LINE, VOICE = "lines", "voice settings"
RULES, HOURS = "conversation rules", "business hours"
# Address and method -> the rows of the table that allow it; None: nobody from the desk.
NEEDS: dict[tuple[str, str], list[tuple[str, str]] | None] = {
    ("phone-number/", "GET"): [(LINE, "view")],
    ("phone-number/", "PATCH"): [(LINE, "change")],
    ("voice-settings/", "GET"): [(VOICE, "view")],
    ("voice-settings/", "PUT"): [(VOICE, "change")],
    ("voice-settings/", "PATCH"): [(VOICE, "change")],
    ("conversation-rules/", "GET"): [(RULES, "view")],
    ("conversation-rules/", "POST"): [(RULES, "add")],
    ("conversation-rules/order/", "POST"): [(RULES, "change")],
    ("conversation-rules/schemas/", "GET"): [(RULES, "view")],
    ("conversation-rules/<uuid:pk>/", "GET"): [(RULES, "view")],
    ("conversation-rules/<uuid:pk>/", "PUT"): [(RULES, "change")],
    ("conversation-rules/<uuid:pk>/", "PATCH"): [(RULES, "change")],
    ("conversation-rules/<uuid:pk>/", "DELETE"): [(RULES, "delete")],
    ("business-hours/", "GET"): [(HOURS, "view")],
    ("business-hours/", "POST"): [(HOURS, "add")],
    ("business-hours/", "PUT"): [(HOURS, "add"), (HOURS, "change"), (HOURS, "delete")],
    ("business-hours/<uuid:pk>/", "GET"): [(HOURS, "view")],
    ("business-hours/<uuid:pk>/", "PUT"): [(HOURS, "change")],
    ("business-hours/<uuid:pk>/", "PATCH"): [(HOURS, "change")],
    ("business-hours/<uuid:pk>/", "DELETE"): [(HOURS, "delete")],
    ("calls/", "GET"): CALLS,
    ("calls/<uuid:call_id>/", "GET"): CALLS,
    ("calls/<uuid:call_id>/", "PATCH"): [*CALLS, ("calls", "change")],
    ("calls/<uuid:call_id>/metadata/", "GET"): METADATA,
    ("calls/<uuid:call_id>/metadata/", "PATCH"): [
        *METADATA,
        ("call metadata", "add"),
        ("call metadata", "change"),
    ],
    ("calls/by-sid/<str:call_sid>/", "PUT"): None,
    ("stats/daily/", "GET"): [("daily statistics", "view")],
    ("stats/hourly/", "GET"): [("hourly statistics", "view")],
    ("stats/summary/", "GET"): [("30-day performance", "view")],
}
# Nothing that would be accepted, but for what takes nothing.
BODY = {"no such field": 1}


@pytest.fixture
def client(support_agent: User) -> Client:
    client = Client()
    client.force_login(support_agent)
    return client


@pytest.fixture
def rows(line: PhoneNumber) -> dict[str, uuid.UUID]:
    with all_tenants("test"):
        rule = ConversationRule.objects.create(
            phone=line, rule_type="greeting", actions={"say": "Hi"}
        )
        day = BusinessHours.objects.create(
            phone=line, day_of_week=3, open_time="09:00", close_time="17:00"
        )
    return {"conversation-rules": rule.pk, "business-hours": day.pk, "calls": make_call(line).pk}


def ask(client: Client, rows: dict[str, Any], endpoint: tuple[str, str], line: str) -> Any:
    route, method = endpoint
    pk = str(rows.get(route.partition("/")[0]))
    for name in ("<uuid:pk>", "<uuid:call_id>", "<str:call_sid>"):
        route = route.replace(name, pk)
    body = {} if method == "GET" else {"data": BODY, "content_type": "application/json"}
    return getattr(client, method.lower())(f"{API}/{route}", **body, headers={"X-Phone-Id": line})


def was_let_in(response: Any) -> bool:
    assert response.status_code in (200, 204, 400, 403), response.content
    return bool(response.status_code != 403)


def test_every_endpoint_is_in_the_table() -> None:
    known = {
        (str(pattern.pattern), method)
        for resolver in get_resolver().url_patterns
        if str(resolver.pattern) == "api/v1/"
        for pattern in resolver.url_patterns  # type: ignore[union-attr]
        if isinstance(pattern, URLPattern)
        for method in pattern.callback.view_class.scopes  # type: ignore[attr-defined]
    }
    assert known == NEEDS.keys()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("endpoint", NEEDS)
def test_role_may_what_the_table_says(
    client: Client,
    support_agent: User,
    line: PhoneNumber,
    rows: dict[str, uuid.UUID],
    endpoint: tuple[str, str],
    role: str,
) -> None:
    support_agent.groups.set([Group.objects.get(name=role)])
    table, needed = promised(), NEEDS[endpoint]
    may = needed is not None and all(table[row][role] for row in needed)
    assert was_let_in(ask(client, rows, endpoint, line.pk)) is may


@pytest.mark.parametrize("endpoint", NEEDS)
def test_staff_without_a_group_may_nothing(
    client: Client, line: PhoneNumber, rows: dict[str, uuid.UUID], endpoint: tuple[str, str]
) -> None:
    """Not even learn which lines there are."""
    refused = [ask(client, rows, endpoint, named) for named in (line.pk, "pn_nowhere")]
    assert [response.status_code for response in refused] == [403, 403]
    assert refused[0].content == refused[1].content


def test_superuser_may_what_staff_may(
    back_office: Client, line: PhoneNumber, rows: dict[str, uuid.UUID]
) -> None:
    for endpoint, needed in NEEDS.items():
        assert was_let_in(ask(back_office, rows, endpoint, line.pk)) is (needed is not None)


def test_head_needs_what_get_needs(client: Client, support_agent: User, line: PhoneNumber) -> None:
    headers = {"X-Phone-Id": line.pk}
    assert client.head(f"{API}/calls/", headers=headers).status_code == 403
    support_agent.groups.set([Group.objects.get(name="Read-only analyst")])
    assert client.head(f"{API}/calls/", headers=headers).status_code == 200


def test_calls_need_the_right_to_the_archive_too(
    client: Client, support_agent: User, line: PhoneNumber
) -> None:
    """archived=include shows it."""
    support_agent.user_permissions.add(Permission.objects.get(codename="view_call"))
    headers = {"X-Phone-Id": line.pk}
    assert client.get(f"{API}/calls/", headers=headers).status_code == 403
    support_agent.user_permissions.add(Permission.objects.get(codename="view_callarchive"))
    assert client.get(f"{API}/calls/", headers=headers).status_code == 200
