"""What the command palette finds for what is pasted into it, and for whom."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tenants.models import PhoneNumber
from tests.admin_client import pick
from tests.factories import archive, make_call, make_line

SID = "CA0123456789abcdef0123456789abcdef"


def found(client: Client, term: str) -> list[str]:
    """The addresses that the palette offers."""
    response: Any = client.get("/admin/search/", {"s": term, "extended": "1"})
    assert response.status_code == 200
    return [item.link for item in response.context_data["results"]]


@pytest.mark.parametrize(
    "term", [SID, SID.upper(), "+49 (0)30 901820", "0049 30 901820", "+4930901820"]
)
def test_a_pasted_number_or_sid_leads_to_its_call(
    back_office: Client, line: PhoneNumber, term: str
) -> None:
    call = make_call(line, caller_number="+4930901820", call_sid=SID)
    make_call(line)
    assert found(back_office, term) == [f"/admin/calls/call/{call.pk}/change/"]


@pytest.mark.parametrize("how", ["call_sid", "caller_number", "id"])
def test_an_archived_call_is_found_too(back_office: Client, line: PhoneNumber, how: str) -> None:
    call = make_call(
        line,
        call_sid=SID,
        caller_number="+4930901820",
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    archive(call)
    term = str(getattr(call, how))
    assert found(back_office, term) == [f"/admin/calls/callarchive/{call.pk}/change/"]


def test_an_id_that_looks_escaped_leads_to_its_line(back_office: Client) -> None:
    make_line(id="pn_2594")
    [link] = found(back_office, "pn_2594")
    assert back_office.get(link).status_code == 200


@pytest.mark.parametrize("term", ["pn_bakery", "bakery", "(415) 555-0101"])
def test_a_line_is_found_by_id_name_or_number(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber, term: str
) -> None:
    make_call(line)
    assert found(back_office, term) == ["/admin/tenants/phonenumber/pn_5Fbakery/change/"]


def test_a_list_is_found_by_its_name(back_office: Client) -> None:
    assert found(back_office, "business h") == ["/admin/tenants/businesshours/"]


def test_many_calls_of_a_caller_lead_to_the_list(back_office: Client, line: PhoneNumber) -> None:
    for _ in range(6):
        make_call(line, caller_number="+4930901820")
    answers = found(back_office, "+4930901820")
    assert len(answers) == 6
    assert answers[-1] == "/admin/calls/call/?q=%2B4930901820"


def test_inside_a_line_nothing_of_others_is_found(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    theirs = make_call(other_line, call_sid=SID)
    assert found(back_office, SID) == [f"/admin/calls/call/{theirs.pk}/change/"]
    pick(back_office, line)
    for term in (SID, str(theirs.pk), other_line.pk, other_line.number, "garage"):
        assert found(back_office, term) == []
    page = back_office.get("/admin/search/", {"s": SID}).content.decode()
    assert "No results" in page


def test_only_what_one_may_see_is_found(
    support_agent: User, client: Client, line: PhoneNumber
) -> None:
    call = make_call(line, call_sid=SID)
    client.force_login(support_agent)
    assert found(client, SID) == found(client, "bakery") == []
    support_agent.user_permissions.add(Permission.objects.get(codename="view_call"))
    assert found(client, SID) == [f"/admin/calls/call/{call.pk}/change/"]
    assert found(client, "bakery") == []


@pytest.mark.parametrize("term", ["", " ", "\x00", "%", "'", "x" * 3000, "🙂"])
def test_nonsense_finds_nothing(back_office: Client, line: PhoneNumber, term: str) -> None:
    make_call(line)
    response = back_office.get("/admin/search/", {"s": term})
    assert response.status_code == 200
    assert "/admin/calls/" not in response.content.decode()


def test_what_is_found_and_typed_is_escaped(back_office: Client, line: PhoneNumber) -> None:
    nasty = "<script>alert(1)</script>"
    make_call(line, caller_number=nasty)
    page = back_office.get("/admin/search/", {"s": nasty}).content.decode()
    assert nasty not in page
    assert "&lt;script&gt;" in page
