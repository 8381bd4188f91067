"""The review page, as an agent uses it."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from calls.models import Call, CallReview
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import pick
from tests.factories import make_call

REVIEW = "/admin/desk/review/"


@pytest.fixture
def agent(support_agent: User) -> Client:
    support_agent.groups.add(Group.objects.get(name="Support agent"))
    client = Client()
    client.force_login(support_agent)
    return client


def make_low(line: PhoneNumber, **columns: Any) -> Call:
    return make_call(line, ai_confidence="0.2", created_at=timezone.now(), **columns)


def reload(call: Call) -> Call:
    with all_tenants("test"):
        return Call.objects.get(pk=call.pk)


def send(client: Client, **sent: str) -> str:
    """The page after this was sent."""
    return client.post(REVIEW, sent, follow=True).content.decode()


def held() -> str:
    with all_tenants("test"):
        return str(CallReview.objects.get(reviewed_at=None, claimed_by__isnull=False).pk)


def test_a_call_is_taken_corrected_and_the_next_one_comes(
    agent: Client, line: PhoneNumber
) -> None:
    second = make_low(line, ai_summary="Second.")
    first = make_low(line, ai_summary="First.", transcript="AI: Hello?\nCaller: <b>Bread</b>.")
    assert "2 calls" in agent.get(REVIEW).content.decode()
    page = send(agent, next="")
    assert "&lt;b&gt;Bread&lt;/b&gt;" in page
    assert "First.</textarea>" in page
    page = send(agent, finish="", review=held(), summary="Wants bread.")
    assert "Second.</textarea>" in page
    assert (reload(first).ai_summary, reload(second).ai_summary) == ("Wants bread.", "Second.")
    page = send(agent, finish="", review=held(), summary="Second.")
    assert "No more calls are waiting for review." in page
    page = agent.get(f"/admin/calls/call/{first.pk}/change/").content.decode()
    assert "Corrected by agent" in page
    assert "First." in page


def test_a_call_is_given_back(agent: Client, back_office: Client, line: PhoneNumber) -> None:
    assert "No calls from the last 30 days are waiting" in back_office.get(REVIEW).text
    make_low(line)
    assert "1 call</strong> from the last 30 days is waiting" in back_office.get(REVIEW).text
    send(agent, next="")
    assert "No calls are waiting for review." in send(back_office, next="")
    send(agent, release="", review=held())
    assert 'name="finish"' in send(back_office, next="")


@pytest.mark.parametrize("key", ["", "0", "x", "9" * 30, "²"])
def test_what_one_does_not_hold_is_refused(agent: Client, line: PhoneNumber, key: str) -> None:
    call = make_low(line, ai_summary="Old.")
    page = send(agent, finish="", review=key, summary="New <b>one</b>.")
    assert "not saved" in page
    assert "New &lt;b&gt;one&lt;/b&gt;." in page  # what was typed is given back
    assert reload(call).ai_summary == "Old."


def test_inside_a_line_the_queue_has_its_calls_alone(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_low(other_line, caller_number="+4930901820")
    pick(back_office, line)
    page = send(back_office, next="")
    assert "No calls are waiting for review." in page
    assert "No calls from the last 30 days are waiting" in page
    assert "+4930901820" not in page


def test_the_queue_wants_its_right(support_agent: User, line: PhoneNumber, client: Client) -> None:
    support_agent.user_permissions.add(Permission.objects.get(codename="view_call"))
    client.force_login(support_agent)
    assert client.get(REVIEW).status_code == client.post(REVIEW, {"next": ""}).status_code == 403


@pytest.mark.parametrize("action", ["finish", "release"])
def test_a_claim_that_another_person_took_over_is_refused(
    agent: Client, back_office: Client, line: PhoneNumber, action: str
) -> None:
    """Also when the call is gone by then."""
    make_low(line)
    send(agent, next="")
    key = held()
    for change in ("UPDATE call_reviews SET claimed_by = 'root'", "DELETE FROM calls"):
        with all_tenants("test"), connection.cursor() as cursor:
            cursor.execute(change)
        page = send(agent, **{action: "", "review": key, "summary": "New one."})
        assert "Review not saved: your claim expired" in page


def test_a_review_of_a_call_that_is_gone_gives_the_text_back(
    agent: Client, line: PhoneNumber
) -> None:
    call = make_low(line)
    send(agent, next="")
    key = held()
    with all_tenants("test"):
        call.delete()
    page = send(agent, finish="", review=key, summary="New one.")
    assert "the call was archived or deleted" in page
    assert "New one." in page
