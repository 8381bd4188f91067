"""No AI confidence is shown of a call in which no AI spoke; the column's default is none."""

from itertools import product
from typing import Any

import pytest
from django.test import Client

from calls.confidence import confidence_of
from calls.models import Call, CallStatus
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.factories import archive, make_call

UNANSWERED = [{"status": "ringing"}, {"status": "failed", "provider_status": "no-answer"}]


@pytest.mark.parametrize("columns", UNANSWERED)
def test_none_without_an_ai(
    back_office: Client, line: PhoneNumber, columns: dict[str, Any]
) -> None:
    call = make_call(line, **columns)
    api = api_of(line)
    assert api.get(f"/calls/{call.pk}/").json()["ai_confidence"] is None
    for query in ({"confidence_min": 0.5}, {"confidence_max": 0.9}):
        assert api.get("/calls/", query).json()["results"] == []
    page = back_office.get(f"/admin/calls/call/{call.pk}/change/").content.decode()
    assert "none: no AI spoke" in page
    assert "<meter" not in page
    assert "0.80" not in back_office.get("/admin/calls/call/").content.decode()
    archive(call)
    assert api.get(f"/calls/{call.pk}/").json()["ai_confidence"] is None
    assert "none: no AI spoke" in (
        back_office.get(f"/admin/calls/callarchive/{call.pk}/change/").content.decode()
    )
    assert "0.80" not in back_office.get("/admin/calls/callarchive/").content.decode()


def test_the_api_answers_the_rule_for_every_kind_of_call(line: PhoneNumber) -> None:
    kinds = product(CallStatus.values, ["0.8", "0.3"], [None, "", "Bread."])
    for status, confidence, summary in kinds:
        make_call(line, status=status, ai_confidence=confidence, ai_summary=summary)
    results = api_of(line).get("/calls/", {"limit": 200}).json()["results"]
    with tenant(line.pk):
        expected = {str(call.pk): confidence_of(call) for call in Call.objects.all()}
    assert len(results) == 24
    assert sum(confidence is None for confidence in expected.values()) == 4
    for call in results:
        known = expected[call["id"]]
        assert call["ai_confidence"] == (None if known is None else float(known))


def test_a_confidence_that_was_given_is_shown(line: PhoneNumber) -> None:
    call = make_call(line, status="failed", ai_confidence="0.3")
    assert api_of(line).get(f"/calls/{call.pk}/").json()["ai_confidence"] == 0.3
