"""The admin as support staff use it: in a browser, on a desk and on a phone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tenants.models import PhoneNumber, VoiceSettings
from tenants.scoping import all_tenants
from tests.factories import make_call, make_line

pytestmark = pytest.mark.browser
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PER_PAGE = 50


@pytest.fixture
def bakery(committed: None) -> PhoneNumber:
    """A line of two pages of calls, the last from a German caller."""
    line = make_line(id="pn_bakery", number="+14155550101", business_name="Bakery")
    make_line(id="pn_garage", number="+14155550202", business_name="Garage")
    for minute in range(1, PER_PAGE + 2):
        make_call(line, created_at=NOON - timedelta(minutes=minute))
    make_call(
        line,
        caller_number="+4930901820",
        transcript="AI: Hello?\nCaller: Two loaves, <b>please</b>.",
        created_at=NOON,
    )
    with all_tenants("test data"):
        VoiceSettings.objects.create(phone=line)
    return line


@pytest.fixture
def calls(bakery: PhoneNumber, page: Page) -> Page:
    """The list of calls, reached from the first page."""
    page.click("#content-main a:text-is('Calls') >> nth=-1")
    return page


def test_pages_are_turned(calls: Page) -> None:
    expect(calls.locator("#result_list tbody tr")).to_have_count(PER_PAGE)
    expect(calls.locator(".backoffice-pages")).to_contain_text("52 calls")
    calls.click("[rel=next]")
    expect(calls.locator("#result_list tbody tr")).to_have_count(2)
    calls.click("[rel=prev]")
    expect(calls.locator("#result_list tbody tr")).to_have_count(PER_PAGE)


def test_a_call_is_searched_opened_and_its_metadata_edited(calls: Page) -> None:
    calls.fill("#searchbar", "no such caller")
    calls.press("#searchbar", "Enter")
    expect(calls.locator(".backoffice-empty")).to_contain_text("No calls found")
    calls.fill("#searchbar", "+49 (0)30 901820")
    calls.press("#searchbar", "Enter")
    calls.click("#result_list tbody th a")
    expect(calls.locator(".backoffice-prose")).to_have_text(
        "AI: Hello?\nCaller: Two loaves, <b>please</b>."
    )
    calls.fill("[name=metadata-0-tags]", "order\nvip")
    calls.fill("[name=metadata-0-metadata]", "{loaves: 2}")
    calls.click("[name=_continue]")
    expect(calls.locator(".errorlist").first).to_contain_text("This is not JSON")
    calls.fill("[name=metadata-0-metadata]", '{"loaves": 2}')
    calls.click("[name=_continue]")
    expect(calls.locator(".messagelist .success")).to_be_visible()
    expect(calls.locator("[name=metadata-0-tags]")).to_have_value("order\nvip")
    expect(calls.locator("[name=metadata-0-metadata]")).to_have_value('{\n  "loaves": 2\n}')


def test_calls_are_filtered_by_a_line_chosen_as_one_types(calls: Page) -> None:
    calls.click(".backoffice-filter .select2-selection")
    calls.fill(".select2-search__field", "gara")
    calls.click(".select2-results__option:has-text('Garage')")
    expect(calls).to_have_url(re.compile("line=pn_garage"))
    expect(calls.locator(".backoffice-empty")).to_contain_text("No calls pass these filters")


def test_calls_are_filtered_by_day(calls: Page) -> None:
    calls.fill("[name=first]", "2026-05-02")
    calls.click("form:has([name=first]) button")
    expect(calls.locator(".backoffice-empty")).to_be_visible()
    calls.click(".toplinks a:text-is('2026')")
    calls.click(".toplinks a:text-is('May 2026')")
    calls.click(".toplinks a:text-is('May 1')")
    expect(calls).to_have_url(re.compile("created_at__day=1"))


def test_ticked_calls_are_deleted(calls: Page) -> None:
    calls.check("#result_list tbody tr:nth-child(1) .action-select")
    calls.check("#result_list tbody tr:nth-child(2) .action-select")
    calls.select_option("[name=action]", "delete_selected")
    calls.click("button[name=index]")
    expect(calls.locator("#content")).to_contain_text("Deleting 2 calls cannot be undone")
    calls.click("#content form input[type=submit]")
    expect(calls.locator(".messagelist .success")).to_have_text("2 calls deleted.")
    expect(calls.locator(".backoffice-pages")).to_contain_text("50 calls")


def test_a_line_is_opened_edited_and_deleted(bakery: PhoneNumber, page: Page) -> None:
    page.click("#content-main a:text-is('Lines') >> nth=-1")
    page.click("#result_list a:text-is('Bakery')")
    page.fill("[name=voice_settings-0-greeting_message]", "Good morning!")
    page.click("text=Add another Conversation rule")
    page.select_option("[name=conversation_rules-0-rule_type]", "hours")
    page.click("[name=_continue]")
    expect(page.locator(".messagelist .success")).to_be_visible()
    page.click("a.deletelink")
    expect(page.locator("#what-goes")).to_contain_text("52 calls")
    expect(page.locator("#what-goes")).to_contain_text("1 conversation rule")
    page.fill("#confirm-number", "+14155550101")
    page.click("#content form input[type=submit]")
    expect(page.locator(".messagelist .success")).to_contain_text("was deleted successfully")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_every_list_and_form_opens(bakery: PhoneNumber, page: Page) -> None:
    for path in (
        "calls/callmetadata/",
        "calls/callarchive/",
        "calls/call/add/",
        "tenants/phonenumber/add/",
        "tenants/voicesettings/",
        "tenants/conversationrule/add/",
        "tenants/businesshours/add/",
        "analytics/dailycallstatsrow/",
        "analytics/callanalyticsrow/",
        "analytics/phoneperformance/",
        "auth/user/",
        "password_change/",
    ):
        page.goto(f"/admin/{path}")
        expect(page.locator("#content h1").first).to_be_visible()
