"""The week's business hours as one grid on the line's page."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tenancy import all_tenants
from tenants.models import BusinessHours, PhoneNumber
from tests.admin_client import form_errors

NINE_TO_FIVE = {"open_time": "09:00", "close_time": "17:00"}


@pytest.fixture
def line(db: None) -> PhoneNumber:
    line = PhoneNumber(id="pn_1", number="+14155550101", business_name="Bakery")
    line.timezone = "Europe/Berlin"
    with all_tenants("test data"):
        line.save(force_insert=True)
    return line


def grid(client: Client, line: PhoneNumber) -> list[Any]:
    response: Any = client.get(f"/admin/tenants/phonenumber/{line.pk}/change/")
    [formset] = [
        inline.formset
        for inline in response.context_data["inline_admin_formsets"]
        if inline.opts.model is BusinessHours
    ]
    return list(formset.forms)


def save(client: Client, line: PhoneNumber, days: dict[int, dict[str, str]]) -> Any:
    """Post the line's page with these cells typed into the grid, by the number of the day."""
    response: Any = client.get(f"/admin/tenants/phonenumber/{line.pk}/change/")
    data = {
        name: "" if value is None else value
        for name, value in response.context_data["adminform"].form.initial.items()
    }
    for inline in response.context_data["inline_admin_formsets"]:
        formset = inline.formset
        for form in [formset.management_form, *formset.forms]:
            for field in form:
                value = field.value()
                if value is not None and value is not False:
                    data[field.html_name] = value
        if inline.opts.model is BusinessHours:
            for form in formset.forms:
                for name, value in days.get(form["day_of_week"].value(), {}).items():
                    data[f"{form.prefix}-{name}"] = value
    return client.post(f"/admin/tenants/phonenumber/{line.pk}/change/", data)


def hours() -> dict[int, str]:
    with all_tenants("test"):
        return {each.day_of_week: str(each) for each in BusinessHours.objects.all()}


def test_no_empty_day_is_offered_to_who_cannot_save_the_line(
    client: Client, support_agent: User, line: PhoneNumber
) -> None:
    rights = ("view_phonenumber", "view_businesshours", "add_businesshours")
    support_agent.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(support_agent)
    assert grid(client, line) == []


def test_all_seven_days_are_there_from_monday(back_office: Client, line: PhoneNumber) -> None:
    rows = grid(back_office, line)
    assert [row["day_of_week"].value() for row in rows] == [1, 2, 3, 4, 5, 6, 0]
    assert {row["timezone"].value() for row in rows} == {"Europe/Berlin"}


def test_days_are_set_changed_and_left_unsaid(back_office: Client, line: PhoneNumber) -> None:
    response = save(back_office, line, {1: NINE_TO_FIVE, 0: {"is_closed": "on"}})
    assert response.status_code == 302
    monday = "Monday: 09:00 to 17:00 Europe/Berlin"
    assert hours() == {1: monday, 0: "Sunday: closed"}
    save(back_office, line, {1: {"open_time": "08:00"}, 3: NINE_TO_FIVE})
    assert hours() == {
        1: monday.replace("09", "08"),
        3: monday.replace("Monday", "Wednesday"),
        0: "Sunday: closed",
    }


def test_saving_the_page_without_a_change_sets_no_hours(
    back_office: Client, line: PhoneNumber
) -> None:
    assert save(back_office, line, {}).status_code == 302
    assert hours() == {}


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"open_time": "09:00"}, "Enter a time or mark the day as closed."),
        ({"open_time": "25:00", "close_time": "17:00"}, "Enter a valid time."),
        (NINE_TO_FIVE | {"timezone": "Mars/Base"}, "not an IANA time zone"),
    ],
)
def test_a_day_that_cannot_be_is_a_form_error(
    back_office: Client, line: PhoneNumber, cells: dict[str, str], says: str
) -> None:
    assert says in form_errors(save(back_office, line, {2: cells}))
    assert hours() == {}


def test_a_day_is_not_moved_to_another(back_office: Client, line: PhoneNumber) -> None:
    save(back_office, line, {1: NINE_TO_FIVE | {"day_of_week": "4"}})
    assert set(hours()) == {1}
