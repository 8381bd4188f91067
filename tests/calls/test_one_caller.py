"""A caller is one person in lists, searches and pages, however the number is written."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.line_search import find_lines, lines_that_match
from tenants.models import PhoneNumber
from tests.admin_client import listed
from tests.api_client import api_of
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event
from tests.factories import archive, make_call, make_line

MEXICAN = ["+525512345678", "+5215512345678", "+52 1 55 1234 5678", "sip:+5215512345678@x.example"]
BRAZILIAN = ["+5511987654321", "+551187654321", "+55 11 8765-4321", "whatsapp:+551187654321"]
ONE = [(spelling, person[0]) for person in (MEXICAN, BRAZILIAN) for spelling in person]
WITHHELD = ["anonymous", "Anonymous", "Restricted", "Private", "+266696687", "266696687"]


def found(line: PhoneNumber, **query: str) -> list[str]:
    response = api_of(line).get("/calls/", {"archived": "include", **query})
    assert response.status_code == 200
    return [call["caller_number"] for call in response.json()["results"]]


@pytest.mark.parametrize(
    ("asked", "caller"),
    [*ONE, *((word, "anonymous") for word in WITHHELD), ("unknown", "unknown")],
)
def test_the_api_finds_a_caller_in_any_spelling(
    line: PhoneNumber, asked: str, caller: str
) -> None:
    make_call(line, caller_number=caller)
    archive(make_call(line, caller_number=caller))
    make_call(line, caller_number="+14155550123")
    assert found(line, caller=asked) == [caller, caller]


@pytest.mark.parametrize(
    ("asked", "caller"),
    [
        ("+5215512", "+525512345678"),
        ("+52 1 55", "+525512345678"),
        ("+52", "+525512345678"),
        ("+551187", "+5511987654321"),
        ("+5511987", "+5511987654321"),
        ("+551187654321", "+5511987654321"),
        ("+1 (415)", "+14155550123"),
    ],
)
def test_the_api_finds_a_caller_by_the_beginning(
    line: PhoneNumber, asked: str, caller: str
) -> None:
    for number in ("+525512345678", "+5511987654321", "+14155550123"):
        make_call(line, caller_number=number)
    assert found(line, caller_prefix=asked) == [caller]


def test_a_plus_that_is_not_escaped_is_a_plus(line: PhoneNumber) -> None:
    make_call(line, caller_number="+14155550123")
    for name in ("caller=+14155550123", "caller_prefix=+1415"):
        response = api_of(line).client.get(f"/api/v1/calls/?{name}")
        assert len(response.json()["results"]) == 1


@pytest.mark.parametrize(("typed", "caller"), ONE)
def test_the_admin_finds_a_caller_in_any_spelling(
    back_office: Client, line: PhoneNumber, typed: str, caller: str
) -> None:
    call, old = (make_call(line, caller_number=caller) for _ in range(2))
    archive(old)
    make_call(line)
    asked = typed.replace("+", "%2B")
    assert [
        row.pk for row in listed(back_office, f"/admin/calls/call/?q={asked}").result_list
    ] == [call.pk]
    response: Any = back_office.get("/admin/search/", {"s": typed, "extended": "1"})
    assert [item.link for item in response.context_data["results"]] == [
        f"/admin/calls/call/{call.pk}/change/",
        f"/admin/calls/callarchive/{old.pk}/change/",
    ]


@pytest.mark.parametrize("typed", [*WITHHELD, "withheld"])
def test_the_admin_finds_all_withheld_callers(
    back_office: Client, line: PhoneNumber, typed: str
) -> None:
    call = make_call(line, caller_number="anonymous")
    make_call(line)
    asked = typed.replace("+", "%2B")
    assert [
        row.pk for row in listed(back_office, f"/admin/calls/call/?q={asked}").result_list
    ] == [call.pk]


@pytest.mark.parametrize("person", [MEXICAN, BRAZILIAN])
def test_a_line_is_found_by_each_spelling_of_its_number(db: None, person: list[str]) -> None:
    for number in person[:2]:
        line = make_line(number=number)
        with all_tenants("test"):
            for typed in person[:3]:
                assert list(PhoneNumber.objects.filter(lines_that_match(typed))) == [line]
                assert list(find_lines(typed)) == [line]
            PhoneNumber.objects.all().delete()


def test_other_calls_of_one_person_and_of_nobody(
    back_office: Client, line: PhoneNumber, settings: Any
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]

    def calls(*callers: str) -> list[Call]:
        made = []
        for caller in callers:
            sid = new_sid()
            assert post(voice_event(sid, "completed", From=caller)).status_code == 204
            with tenant(line.pk):
                made.append(Call.objects.get(call_sid=sid))
        return made

    for person in (MEXICAN, BRAZILIAN):
        first, *others = calls(*person)
        page: Any = back_office.get(f"/admin/calls/call/{first.pk}/change/")
        shown = {other["call"].pk for other in page.context_data["page"]["others"]}
        assert shown == {other.pk for other in others}
    withheld, *_ = calls(*WITHHELD, "")
    page = back_office.get(f"/admin/calls/call/{withheld.pk}/change/")
    assert page.context_data["page"]["others"] == []
    assert "Calls without a caller number cannot be matched." in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("+5215512345678", "+525512345678"), ("Restricted", "anonymous"), ("sip:a@b", "sip:a@b")],
)
def test_a_caller_that_is_typed_in_is_kept_like_any_other(
    line: PhoneNumber, typed: str, kept: str
) -> None:
    call = Call(phone=line, call_sid=new_sid(), status="completed", caller_number=typed)
    call.clean()
    assert call.caller_number == kept
    call.caller_number = "1.41556E+10"
    with pytest.raises(ValidationError, match="This was shortened by a spreadsheet"):
        call.clean()
