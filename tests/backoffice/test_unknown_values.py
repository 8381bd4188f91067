"""What no filter knows is refused with a message; a NUL anywhere is no fault of the program."""

import base64
import json
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tenants.models import PhoneNumber
from tests.factories import make_call

LISTS = sorted(
    f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    for model in admin.site._registry
)
NULS = ("\0", "a\0b", "+1415\0")


def parameters_of(name: str, page: Any) -> set[str]:
    """Each parameter that the list reads."""
    changes = page.context_data["cl"]
    names = {part for spec in changes.filter_specs for part in spec.expected_parameters() if part}
    hierarchy = changes.date_hierarchy or "created_at"
    return names | {f"{hierarchy}__{part}" for part in ("year", "month", "day")}


@pytest.mark.rounds(1, soak=len(NULS))
@pytest.mark.parametrize("name", LISTS)
def test_nul_in_any_parameter_of_a_list_is_no_fault(
    back_office: Client, line: PhoneNumber, name: str, rounds: int
) -> None:
    make_call(line)
    back_office.raise_request_exception = False
    address = reverse(name)
    page: Any = back_office.get(address)
    if page.status_code != 200:  # a list that is shown nowhere
        pytest.skip("not a page for anybody")
    positions = [json.dumps(["\0"] * length) for length in (1, 2, 3)]
    cursors = [base64.urlsafe_b64encode(text.encode()).decode() for text in positions]
    fixed = ("q", "o", "p", "all", "e", "_popup", "_to_field", "_changelist_filters", "\0")
    for parameter in {*parameters_of(name, page), *fixed, "after", "before"}:
        for value in (*NULS[:rounds], *(cursors if parameter in {"after", "before"} else [])):
            answer = back_office.get(address, {parameter: value})
            assert answer.status_code < 500, (parameter, value)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/admin/search/", {"s": "\0"}),
        ("/admin/line/", {"q": "\0"}),
        ("/admin/database/statements/", {"order": "\0"}),
        ("/admin/autocomplete/", {"app_label": "calls\0", "model_name": "x", "field_name": "y"}),
        ("/admin/calls/call/%00/change/", {}),
    ],
)
def test_nul_elsewhere_in_the_admin_is_no_fault(
    back_office: Client, path: str, data: dict[str, str]
) -> None:
    back_office.raise_request_exception = False
    assert back_office.get(path, data).status_code < 500


@pytest.mark.parametrize("field", ["line", "next"])
def test_nul_in_a_form_is_no_fault(back_office: Client, line: PhoneNumber, field: str) -> None:
    back_office.raise_request_exception = False
    assert back_office.post("/admin/line/", {"line": line.pk, field: "\0"}).status_code < 500


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("calls/call", "status"),
        ("calls/call", "confidence"),
        ("calls/call", "recording"),
        ("calls/call", "hold"),
        ("calls/callarchive", "status"),
        ("calls/callevent", "problem"),
        ("calls/callevent", "outcome__exact"),
        ("calls/callevent", "kind__exact"),
        ("jobs/job", "status"),
        ("jobs/job", "task_name"),
        ("tenants/conversationrule", "rule_type__exact"),
        ("tenants/membership", "role__exact"),
    ],
)
@pytest.mark.parametrize("value", ["zzz", "\0"])
def test_unknown_value_of_a_filter_is_refused(
    back_office: Client, line: PhoneNumber, path: str, parameter: str, value: str
) -> None:
    make_call(line)
    answer: Any = back_office.get(f"/admin/{path}/", {parameter: value})
    assert answer.status_code == 200
    assert "is not one of the choices" in answer.text
    assert "remove this one" in answer.text
    changes = answer.context_data["cl"]
    assert list(changes.result_list) == []
    [chip] = changes.active_filters
    assert chip["description"].startswith("unknown value")
    assert parameter not in chip["remove_link"]


def test_known_values_are_as_they_were(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line)
    for data in ({}, {"status": call.status}, {"status": ""}, {"recording": "no"}):
        page: Any = back_office.get("/admin/calls/call/", data)
        assert "is not one of the choices" not in page.text


def test_plus_of_an_offset_may_stand_in_an_address_as_it_is(
    back_office: Client, line: PhoneNumber
) -> None:
    period = "since=2020-01-01T00:00:00+02:00&until=2099-01-01T00:00:00.5+02:00"
    make_call(line)
    page: Any = back_office.get(f"/admin/calls/call/?{period}")
    assert len(page.context_data["cl"].result_list) == 1


@pytest.mark.parametrize(
    "name", ["tenants_conversationrule", "tenants_businesshours", "calls_call", "tenants_apikey"]
)
def test_a_posted_key_with_a_nul_is_a_form_error(
    back_office: Client, line: PhoneNumber, name: str
) -> None:
    for sent in NULS:
        response = back_office.post(reverse(f"admin:{name}_add"), {"phone": sent})
        assert response.status_code == 200
        assert "Select a valid choice" in response.content.decode()
