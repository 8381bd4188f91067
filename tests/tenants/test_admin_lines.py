"""The page of a line: what it holds, and its deletion."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice import deletion
from backoffice.counting import count_up_to
from calls.models import Call, CallMetadata
from tenancy import all_tenants
from tenants import admin as tenants_admin
from tenants.models import BusinessHours, ConversationRule, PhoneNumber, VoiceSettings
from tests.admin_client import form_errors, listed, pick
from tests.factories import make_call, make_line

LINES = "/admin/tenants/phonenumber/"
INLINES = ("voice_settings", "transfer_places", "conversation_rules")


def form(**changes: Any) -> dict[str, Any]:
    data = {"number": "+14155550999", "business_name": "Florist", "timezone": "UTC"}
    for prefix in INLINES:
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return data | changes


def test_a_line_is_added_with_what_hangs_on_it(back_office: Client) -> None:
    response = back_office.post(
        f"{LINES}add/",
        form(
            **{
                "id": "pn_florist",
                "voice_settings-TOTAL_FORMS": "1",
                "voice_settings-0-voice_model": "neural",
                "voice_settings-0-voice_name": "Alloy",
                "voice_settings-0-language": "de",
                "voice_settings-0-speech_speed": "1.25",
            }
        ),
    )
    assert response.status_code == 302
    with all_tenants("test"):
        assert PhoneNumber.objects.get().display_name is None
        assert VoiceSettings.objects.get().phone_id == "pn_florist"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"number": "+14155550101"}, "Another line already has this number."),
        ({"number": "415 555"}, "E.164"),
        ({"id": "no spaces"}, "letters, digits"),
        ({"timezone": "Mars/Olympus"}, "not an IANA time zone"),
    ],
)
def test_a_line_that_cannot_be_is_a_form_error(
    back_office: Client, line: PhoneNumber, change: dict[str, str], says: str
) -> None:
    response = back_office.post(f"{LINES}add/", form(**{"id": "pn_new"} | change))
    assert says in form_errors(response)


@pytest.mark.parametrize(
    "change", [{"timezone": "Mars/Olympus"}, {"number": "0151 banana"}, {"business_name": ""}]
)
def test_a_refused_change_of_a_line_shows_the_line_as_it_is_stored(
    back_office: Client, line: PhoneNumber, change: dict[str, str]
) -> None:
    url = f"{LINES}{line.pk}/change/"
    stored = {name: getattr(line, name) for name in ("number", "business_name", "timezone")}
    response: Any = back_office.post(url, form(**stored | change))
    assert form_errors(response)
    shown = response.context_data["page"]["line"]
    assert {name: getattr(shown, name) for name in stored} == stored
    assert response.context_data["subtitle"] == str(line)
    assert "Nothing was saved." in response.content.decode()
    assert "Nothing was saved." not in back_office.get(url).content.decode()


@pytest.mark.parametrize("picked", [False, True])
def test_second_voice_settings_are_a_form_error(
    back_office: Client, line: PhoneNumber, picked: bool
) -> None:
    with all_tenants("test"):
        VoiceSettings.objects.create(phone=line)
    if picked:
        pick(back_office, line)
    data = {
        "phone": line.pk,
        "voice_model": "neural",
        "voice_name": "Alloy",
        "language": "en-US",
        "speech_speed": "1",
    }
    response = back_office.post("/admin/tenants/voicesettings/add/", data)
    assert "already has voice settings" in form_errors(response)


def test_inside_one_line_no_line_is_added(back_office: Client, line: PhoneNumber) -> None:
    pick(back_office, line)
    assert back_office.get(f"{LINES}add/").status_code == 403


def test_a_line_of_many_rules_leaves_them_to_their_own_list(
    back_office: Client, line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenants_admin, "RULES_ON_A_LINE", 2)
    url = f"{LINES}{line.pk}/change/"
    for rules, is_inline in ((2, True), (3, False)):
        with all_tenants("test"):
            while ConversationRule.objects.count() < rules:
                ConversationRule.objects.create(
                    phone=line, rule_type="hours", actions={"say": "Closed"}
                )
        html = back_office.get(url).content.decode()
        assert ('id="conversation_rules-group"' in html) is is_inline
        assert f"/admin/tenants/conversationrule/?line={line.pk}" in html


def test_the_links_of_a_line_lead_to_its_rows(back_office: Client, line: PhoneNumber) -> None:
    html = back_office.get(f"{LINES}{line.pk}/change/").content.decode()
    records = html.split('class="backoffice-list"')[1].split("</ul>")[0]
    links = records.split('href="')[1:]
    assert len(links) == 7
    for link in links:
        url = link.split('"')[0].replace("&amp;", "&")
        assert f"line={line.pk}" in url
        assert back_office.get(url).status_code == 200


def test_links_to_a_line_survive_an_underscore_before_a_hexadecimal_digit(
    back_office: Client,
) -> None:
    """Such as pn_82…, whose _82 the admin would read as a character."""
    line = make_line(id="pn_82c1")
    call = make_call(line)
    with all_tenants("test"):
        row = {"phone": line, "day_of_week": 1, "open_time": "09:00", "close_time": "17:00"}
        BusinessHours.objects.create(**row)
    pages = (f"{LINES}{quote(line.pk)}/change/", f"/admin/calls/call/{call.pk}/change/")
    links = {
        link
        for page in pages
        for link in re.findall(f'href="({LINES}[^"]+)"', back_office.get(page).content.decode())
    }
    names = {link.split("/")[-2] for link in links}
    assert names >= {"change", "hours", "move-number", "simulate"}
    for link in links:
        assert back_office.get(link).status_code == 200, link


def test_deleting_a_line_shows_what_goes_with_it(
    back_office: Client,
    line: PhoneNumber,
    other_line: PhoneNumber,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deletion, "count_up_to", lambda rows: count_up_to(rows, 2))
    for _ in range(3):
        make_call(line)
    make_call(other_line, metadata={})
    with all_tenants("test"):
        VoiceSettings.objects.create(phone=line)
    with CaptureQueriesContext(connection) as queries:
        html = back_office.get(f"{LINES}{line.pk}/delete/").content.decode()
    assert "<li>more than 2 calls</li>" in html
    assert "<li>1 voice settings</li>" in html
    assert "call metadata" not in html.split('id="what-goes"')[1]
    assert not any('SELECT "calls"."id", "calls"."phone_id"' in q["sql"] for q in queries)


def test_a_line_goes_only_when_its_number_is_typed(back_office: Client, line: PhoneNumber) -> None:
    url = f"{LINES}{line.pk}/delete/"
    for typed in ({}, {"number": ""}, {"number": "+14155550102"}):
        response = back_office.post(url, {"post": "yes", **typed}, follow=True)
        assert "the number does not match" in response.content.decode()
    with all_tenants("test"):
        assert PhoneNumber.objects.exists()


def test_a_line_goes_with_all_its_rows_in_one_statement(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    for owner in (line, other_line):
        for _ in range(3):
            make_call(owner, metadata={"tags": ["vip"]})
    with CaptureQueriesContext(connection) as queries:
        response = back_office.post(
            f"{LINES}{line.pk}/delete/", {"post": "yes", "number": line.number}
        )
    assert (response.status_code, response.headers["Location"]) == (302, LINES)
    assert len([q for q in queries if "DELETE FROM" in q["sql"]]) == 1
    with all_tenants("test"):
        assert [row.pk for row in PhoneNumber.objects.all()] == [other_line.pk]
        assert Call.objects.count() == CallMetadata.objects.count() == 3
    assert LogEntry.objects.get().action_flag == DELETION


def test_deleting_the_picked_line_returns_to_all_lines(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    pick(back_office, line)
    back_office.post(f"{LINES}{line.pk}/delete/", {"post": "yes", "number": line.number})
    rows = listed(back_office, LINES).result_list
    assert [row.pk for row in rows] == [other_line.pk]


def test_lines_are_not_deleted_in_bulk(back_office: Client, line: PhoneNumber) -> None:
    data = {"action": "delete_selected", "_selected_action": line.pk, "post": "yes"}
    back_office.post(LINES, data)
    with all_tenants("test"):
        assert PhoneNumber.objects.exists()


def test_lines_are_completed_as_one_types(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    ask = {"app_label": "calls", "model_name": "call", "field_name": "phone"}
    for term, ids in (
        ("bak", [line.pk]),
        ("(415) 555-0202", [other_line.pk]),
        ("", [line.pk, other_line.pk]),
    ):
        answer = back_office.get("/admin/autocomplete/", ask | {"term": term}).json()
        assert [result["id"] for result in answer["results"]] == ids
    pick(back_office, line)
    answer = back_office.get("/admin/autocomplete/", ask | {"term": ""}).json()
    assert [result["id"] for result in answer["results"]] == [line.pk]
