"""The page of a call and its form agree on what is not known of the call."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from calls.duration import known_duration, lasted
from calls.models import Call
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.factories import make_call

INLINE = {"metadata-TOTAL_FORMS": "0", "metadata-INITIAL_FORMS": "0"}


def address(call: Call) -> str:
    return f"/admin/calls/call/{call.pk}/change/"


def stored(call: Call) -> Call:
    with all_tenants("test"):
        return Call.objects.get(pk=call.pk)


def save(client: Client, call: Call, **typed: str) -> Any:
    """The answer to the form as it is shown, but for what was typed."""
    page: Any = client.get(address(call))
    shown = {field.name: field.value() for field in page.context_data["adminform"].form}
    sent = {name: "" if value is None else value for name, value in shown.items()}
    return client.post(address(call), {**sent, **INLINE, **typed})


@pytest.fixture
def ringing(line: PhoneNumber) -> Call:
    return make_call(line, status="ringing", duration=0)


@pytest.fixture
def timed_out(line: PhoneNumber) -> Call:
    return make_call(line, status="completed", provider_status="timed-out", duration=0)


def test_who_only_looks_sees_what_is_known(
    support_agent: User, ringing: Call, timed_out: Call
) -> None:
    support_agent.user_permissions.set(Permission.objects.filter(codename="view_call"))
    client = Client()
    client.force_login(support_agent)
    html = client.get(address(ringing)).content.decode()
    assert html.count("in progress") >= 2
    assert html.count("none: no AI spoke") == 2
    assert "0.80" not in html
    html = client.get(address(timed_out)).content.decode()
    assert html.count("unknown") >= 2
    for page in (html, client.get(address(ringing)).content.decode()):
        assert "Seconds" not in page


def test_what_is_not_known_is_empty_and_stays_so(
    back_office: Client, ringing: Call, timed_out: Call
) -> None:
    for call in (ringing, timed_out):
        before = stored(call)
        page: Any = back_office.get(address(call))
        assert page.context_data["adminform"].form["duration"].value() is None
        assert save(back_office, call, ai_summary="Rang.").status_code == 302
        after = stored(call)
        assert after.ai_summary == "Rang."
        assert (after.duration, after.ai_confidence) == (before.duration, before.ai_confidence)
        assert after.provider_status == before.provider_status
    page = back_office.get(address(make_call(ringing.phone, status="ringing")))
    assert page.context_data["adminform"].form["ai_confidence"].value() is None


def test_a_duration_that_is_entered_is_known(back_office: Client, timed_out: Call) -> None:
    assert save(back_office, timed_out, duration="90").status_code == 302
    call = stored(timed_out)
    assert (known_duration(call), call.provider_status, lasted(call)) == (90, None, "1:30")
    page: Any = back_office.get(address(timed_out))
    assert page.context_data["adminform"].form["duration"].value() == 90


def test_a_call_in_progress_has_no_duration(back_office: Client, ringing: Call) -> None:
    assert save(back_office, ringing, duration="5").status_code == 200
    assert stored(ringing).duration == 0
    assert save(back_office, ringing, duration="5", status="completed").status_code == 302
    assert known_duration(stored(ringing)) == 5


def test_what_is_known_cannot_be_emptied(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line, status="completed", provider_status="completed", duration=60)
    assert save(back_office, call, duration="").status_code == 200
    assert save(back_office, call, duration="61").status_code == 302
    assert (stored(call).duration, stored(call).provider_status) == (61, "completed")
