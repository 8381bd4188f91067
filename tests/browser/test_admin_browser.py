"""The admin as support staff use it: in a browser, on a desk and on a phone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tenancy import all_tenants
from tenants.models import PhoneNumber, VoiceSettings
from tests.browser.conftest import PASSWORD, follow
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
    """The list of calls."""
    page.goto("/admin/calls/call/")
    return page


@pytest.fixture
def filters(calls: Page) -> Page:
    """The list of calls with the sheet of its filters open."""
    calls.click("#changelist a:has-text('Filters')")
    return calls


def test_staff_log_in(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/")
    page.fill("#id_username", "root")
    page.fill("#id_password", PASSWORD)
    follow(page.locator("#login-form button[type=submit]"))
    expect(page).to_have_url(re.compile("/admin/$"))


def test_pages_are_turned(calls: Page) -> None:
    expect(calls.locator("#result_list tbody tr")).to_have_count(PER_PAGE)
    for _ in range(20):  # a slow machine gives up counting
        if "52 calls" in calls.locator(".backoffice-pages").inner_text():
            break
        calls.reload()
    else:
        pytest.fail("52 calls were never counted")
    follow(calls.locator("[rel=next]"))
    expect(calls.locator("#result_list tbody tr")).to_have_count(2)
    follow(calls.locator("[rel=prev]"))
    expect(calls.locator("#result_list tbody tr")).to_have_count(PER_PAGE)


def test_a_call_is_searched_opened_and_its_metadata_edited(calls: Page) -> None:
    calls.fill("#searchbar", "no such caller")
    with calls.expect_navigation():
        calls.press("#searchbar", "Enter")
    expect(calls.locator(".backoffice-empty")).to_contain_text("No calls found")
    calls.fill("#searchbar", "+49 (0)30 901820")
    with calls.expect_navigation():
        calls.press("#searchbar", "Enter")
    follow(calls.locator("#result_list tbody th a"))
    expect(calls.locator(".dialogue-caller p")).to_have_text("Two loaves, <b>please</b>.")
    calls.fill("#transcript-words", "LOAVES")
    expect(calls.locator(".dialogue mark")).to_have_text("loaves")
    expect(calls.locator("#transcript-found")).to_have_text("1 found")
    calls.fill("[name=metadata-0-tags]", "order\nvip")
    calls.fill("[name=metadata-0-metadata]", "[]")
    expect(calls.locator(".backoffice-json").first).to_contain_text("Enter a JSON object")
    calls.fill("[name=metadata-0-metadata]", "{loaves: 2}")
    follow(calls.locator("[name=_continue]"))
    expect(calls.locator(".errorlist").first).to_contain_text("Invalid JSON")
    calls.fill("[name=metadata-0-metadata]", '{"loaves": 2}')
    follow(calls.locator("[name=_continue]"))
    expect(calls.locator("#main")).to_contain_text("was changed successfully")
    expect(calls.locator("[name=metadata-0-tags]")).to_have_value("order\nvip")
    expect(calls.locator("[name=metadata-0-metadata]")).to_have_value('{\n  "loaves": 2\n}')


def test_calls_are_filtered_by_a_line_chosen_as_one_types(filters: Page) -> None:
    filters.click(".backoffice-filter .select2-selection")
    filters.fill(".select2-search__field", "gara")
    filters.click(".select2-results__option:has-text('Garage')")
    expect(filters).to_have_url(re.compile("line=pn_garage"))
    expect(filters.locator(".backoffice-empty")).to_contain_text("No calls match these filters")


def test_calls_are_filtered_by_day(filters: Page) -> None:
    filters.fill("[name=first]", "2026-05-02")
    follow(filters.locator("form:has([name=first]) button"))
    expect(filters.locator(".backoffice-empty")).to_be_visible()
    for period in ("2026", "May 2026", "May 1"):
        follow(filters.locator(f".toplinks a:text-is('{period}')"))
    expect(filters).to_have_url(re.compile("created_at__day=1"))


def test_ticked_calls_are_deleted(calls: Page) -> None:
    calls.check("#result_list .action-select >> nth=0")
    calls.check("#result_list .action-select >> nth=1")
    calls.select_option("[name=action]", "delete_selected")
    follow(calls.get_by_role("button", name="Run", exact=True))
    expect(calls.locator("#content")).to_contain_text("Deleting 2 calls cannot be undone")
    follow(calls.locator("#content form button[type=submit]"))
    expect(calls.locator("#main")).to_contain_text("2 calls deleted.")
    expect(calls.locator(".backoffice-pages")).to_contain_text("50 calls")


def test_a_line_is_opened_edited_and_deleted(bakery: PhoneNumber, page: Page) -> None:
    page.goto("/admin/tenants/phonenumber/")
    follow(page.locator("#result_list a:text-is('Bakery')"))
    page.fill("[name=voice_settings-0-greeting_message]", "Good morning!")
    follow(page.locator("[name=_continue]"))
    expect(page.locator("#main")).to_contain_text("was changed successfully")
    follow(page.locator("text=Add a rule"))
    page.select_option("[name=rule_type]", "greeting")
    page.select_option("[name=when_first_time_caller]", "True")
    page.fill("[name=greeting_say]", "Welcome!")
    expect(page.locator(".rule-summary")).to_have_text(
        "When the caller is a new customer: say “Welcome!”."
    )
    expect(page.locator("[name=transfer_say]")).to_be_hidden()
    expect(page.locator("[data-preview-result]")).to_contain_text("No calls came in the last")
    follow(page.locator("[name=_save]"))
    page.goto(f"/admin/tenants/phonenumber/{bakery.pk}/change/")
    follow(page.locator("a:has-text('Delete line')"))
    expect(page.locator("#what-goes")).to_contain_text("52 calls")
    expect(page.locator("#what-goes")).to_contain_text("1 conversation rule")
    page.fill("#confirm-number", "+14155550101")
    follow(page.locator("#content form button[type=submit]"))
    expect(page.locator("#main")).to_contain_text("was deleted successfully")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_the_palette_leads_to_the_call_of_a_pasted_number(bakery: PhoneNumber, page: Page) -> None:
    page.goto("/admin/")
    page.press("body", "Control+k")
    page.fill("#search-input-command", "+49 30 901820")
    page.press("#search-input-command", "Enter")  # before there is an answer
    expect(page).to_have_url(re.compile("/admin/calls/call/.+/change/"))
    expect(page.locator(".dialogue")).to_contain_text("Two loaves")
