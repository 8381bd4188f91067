"""Every endpoint and method with another line's ids: 404, and nothing of that line in it."""

import uuid
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

from api.permissions import KeyScope
from tenancy import all_tenants
from tenants.memberships import Membership
from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    ConversationRule,
    PhoneNumber,
    SpecialDay,
    TransferPlace,
    VoiceSettings,
)
from tests.api_client import Api, api_of
from tests.factories import make_call

SECRET = "what only the garage knows"
# Bodies that every endpoint of a row would take.
BODIES: dict[str, dict[str, Any]] = {
    "conversation-rules": {"rule_type": "greeting", "actions": {"say": "Hi"}},
    "transfer-places": {"name": "Front desk", "number": "+14155550123"},
    "business-hours": {"day_of_week": 3, "open_time": "09:00", "close_time": "10:00"},
    "business-hours-intervals": {"day_of_week": 4, "open_time": "09:00", "close_time": "10:00"},
    "special-days": {"date": "2026-12-24"},
    "calls": {},
    "decide": {"call_sid": "CAgarage", "caller": "+14155559999"},
}


def endpoints() -> list[tuple[str, str]]:
    """(route, method) of everything below /api/v1/."""
    found = []
    for resolver in get_resolver().url_patterns:
        if str(resolver.pattern) == "api/v1/":
            for pattern in resolver.url_patterns:  # type: ignore[union-attr]
                assert isinstance(pattern, URLPattern)
                view = pattern.callback.view_class  # type: ignore[attr-defined]
                found += [(str(pattern.pattern), method) for method in view.scopes]
    return found


@pytest.fixture
def garage(other_line: PhoneNumber) -> dict[str, Any]:
    """The ids of the other line's rows, each with a text that must never be seen."""
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=other_line.pk).update(display_name=SECRET)
        VoiceSettings.objects.create(phone=other_line, greeting_message=SECRET)
        Membership.objects.create(phone=other_line, subject=SECRET)
        rule = ConversationRule.objects.create(
            phone=other_line, rule_type="greeting", actions={"say": SECRET}
        )
        hours = BusinessHours.objects.create(
            phone=other_line, day_of_week=3, open_time="09:00", close_time="17:00"
        )
        further = BusinessHoursInterval.objects.create(
            phone=other_line, day_of_week=3, open_time="18:00", close_time="20:00"
        )
        special = SpecialDay.objects.create(phone=other_line, date="2026-12-25", label=SECRET)
        place = TransferPlace.objects.create(phone=other_line, name=SECRET, number="+14155550124")
    call = make_call(
        other_line, call_sid="CAgarage", transcript=SECRET, metadata={"metadata": {"note": SECRET}}
    )
    return {
        "conversation-rules": rule.pk,
        "transfer-places": place.pk,
        "business-hours": hours.pk,
        "business-hours-intervals": further.pk,
        "special-days": special.pk,
        "calls": call.pk,
    }


def test_the_matrix_is_not_empty() -> None:
    assert len(endpoints()) >= 25


@pytest.mark.parametrize(("route", "method"), endpoints())
def test_another_lines_row_does_not_exist(
    line: PhoneNumber, garage: dict[str, Any], route: str, method: str
) -> None:
    api = api_of(line, *KeyScope.values)
    collection = route.partition("/")[0]
    answers = {}
    for whose, pk in (("theirs", garage.get(collection)), ("nobody's", uuid.uuid4())):
        path = route.replace("<uuid:pk>", str(pk)).replace("<uuid:call_id>", str(pk))
        path = path.replace("<str:call_sid>", "CAgarage" if whose == "theirs" else "CAnowhere")
        body = None if method in ("GET", "DELETE") else BODIES.get(collection, {})
        answers[whose] = api.request(method, f"/{path}", body)
    if "<str:" in route:  # a SID may be claimed, whoever has it
        assert [answer.status_code for answer in answers.values()] == [201, 201]
    elif "<" in route:
        assert answers["theirs"].status_code == 404
        assert answers["theirs"].content == answers["nobody's"].content
    for answer in answers.values():
        assert SECRET.encode() not in answer.content
        assert b"pn_garage" not in answer.content
    assert_untouched(garage)


def assert_untouched(garage: dict[str, Any]) -> None:
    with all_tenants("test"):
        assert ConversationRule.objects.get(pk=garage["conversation-rules"]).actions["say"]
        assert TransferPlace.objects.get(pk=garage["transfer-places"]).number == "+14155550124"
        assert BusinessHours.objects.get(pk=garage["business-hours"]).close_time.hour == 17
        assert BusinessHoursInterval.objects.get(pk=garage["business-hours-intervals"])
        assert SpecialDay.objects.get(pk=garage["special-days"]).label == SECRET


def test_a_filter_on_another_lines_values_finds_nothing(
    line: PhoneNumber, garage: dict[str, Any]
) -> None:
    api: Api = api_of(line)
    for query in (
        {"q": "garage"},
        {"metadata": f'{{"note":"{SECRET}"}}'},
        {"caller_prefix": "+"},
        {"total": "exact"},
    ):
        body = api.get("/calls/", query).json()
        assert body["results"] == []
        assert body.get("total", {}).get("count", 0) == 0
