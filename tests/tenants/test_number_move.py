"""The page of the admin that moves a number from one line to another."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.test import Client

from tenancy import all_tenants
from tenants.models import NumberAssignment, PhoneNumber
from tests.admin_client import pick
from tests.factories import hold_numbers_for_long, make_line

NEW = "+14155550999"


def url(line: PhoneNumber) -> str:
    return f"/admin/tenants/phonenumber/{quote(line.pk)}/move-number/"


def numbers() -> dict[str, str]:
    with all_tenants("test"):
        return dict(PhoneNumber.objects.values_list("pk", "number"))


def confirmed(line: PhoneNumber, receiver: PhoneNumber) -> dict[str, str]:
    return {
        "receiver": receiver.pk,
        "new_number": NEW,
        "number": line.number,
        "receiver_number": receiver.number,
        "confirmed": "yes",
    }


def test_a_number_is_moved_after_both_lines_were_named(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    hold_numbers_for_long()
    before = numbers()
    link = back_office.get(f"/admin/tenants/phonenumber/{line.pk}/change/").content.decode()
    assert url(line) in link
    assert back_office.get(url(line)).status_code == 200
    page = back_office.post(url(line), {"receiver": other_line.pk, "new_number": NEW})
    html = page.content.decode()
    for text in ("Bakery", "Garage", "+14155550101", "+14155550202", NEW):
        assert text in html
    assert numbers() == before
    shown: Any = page.context["form"].cleaned_data
    assert shown["receiver"] == other_line
    response = back_office.post(url(line), confirmed(line, other_line), follow=True)
    html = response.content.decode()
    assert "Garage has +14155550101 now, and Bakery has +14155550999." in html
    assert "Former numbers: +14155550101 until" in html
    assert numbers() == {line.pk: NEW, other_line.pk: "+14155550101"}
    with all_tenants("test"):
        held = NumberAssignment.objects.filter(number="+14155550101").order_by("id")
        assert list(held.values_list("phone_id", flat=True)) == [line.pk, other_line.pk]
    history = {entry.object_id: entry.change_message for entry in LogEntry.objects.all()}
    assert "Moved +14155550101 to Garage" in history[line.pk]
    assert "Got +14155550101 from Bakery" in history[other_line.pk]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"receiver": "pn_bakery"}, "Choose another line."),
        ({"receiver": "pn_nobody"}, "Choose another line."),
        ({"receiver": "\x00"}, "Choose another line."),
        ({"receiver": ""}, "This field is required."),
        ({"new_number": ""}, "This field is required."),
        ({"new_number": "0415 555"}, "Enter the number in E.164 format"),
        ({"new_number": "+14155550101"}, "This is the number that is to move"),
        ({"new_number": "+14155550202"}, "Another line already has this number."),
        ({"receiver_number": "+14155550303"}, "a number has changed meanwhile"),
        ({"number": "+14155550303"}, "a number has changed meanwhile"),
    ],
)
def test_what_cannot_be_moved_is_answered_and_changes_nothing(
    change: dict[str, str], message: str, back_office: Client, line: PhoneNumber,
    other_line: PhoneNumber,
) -> None:  # fmt: skip
    before = numbers()
    response = back_office.post(url(line), confirmed(line, other_line) | change)
    assert response.status_code == 200
    assert message in response.content.decode()
    assert numbers() == before


def test_a_line_that_is_not_there(back_office: Client, line: PhoneNumber) -> None:
    assert back_office.get("/admin/tenants/phonenumber/pn_x/move-number/").status_code in (
        302,
        404,
    )


def test_a_move_concerns_two_lines(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    before = numbers()
    pick(back_office, line)
    page = back_office.post(url(line), confirmed(line, other_line), follow=True)
    assert "leave the line you work in first" in page.content.decode()
    assert back_office.get(url(other_line)).status_code == 404
    assert numbers() == before


def test_who_may_not_change_lines_moves_no_number(
    support_agent: User, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    support_agent.user_permissions.add(Permission.objects.get(codename="view_phonenumber"))
    client = Client()
    client.force_login(support_agent)
    before = numbers()
    page = client.get(f"/admin/tenants/phonenumber/{line.pk}/change/")
    assert url(line) not in page.content.decode()
    assert client.post(url(line), confirmed(line, other_line)).status_code == 403
    assert numbers() == before


def test_a_third_line_that_took_the_new_number_meanwhile(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    back_office.post(url(line), {"receiver": other_line.pk, "new_number": NEW})
    make_line(number=NEW)
    before = numbers()
    page = back_office.post(url(line), confirmed(line, other_line))
    assert "Another line already has this number." in page.content.decode()
    assert numbers() == before
