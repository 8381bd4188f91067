"""The editors of a line's settings, as far as their scripts do the work."""

import pytest
from playwright.sync_api import Page, expect

from tenancy import all_tenants
from tenants.models import ConversationRule, PhoneNumber
from tests.browser.conftest import follow
from tests.factories import make_line

pytestmark = pytest.mark.browser


@pytest.fixture
def bakery(committed: None) -> PhoneNumber:
    line = make_line(id="pn_bakery", number="+14155550101", business_name="Bakery")
    with all_tenants("test data"):
        for name in "ab":
            ConversationRule.objects.create(
                phone=line, rule_type="greeting", actions={"say": name}, priority=-ord(name)
            )
    return line


def test_hours_are_copied_and_rules_change_places(bakery: PhoneNumber, page: Page) -> None:
    page.goto("/admin/tenants/phonenumber/pn_5Fbakery/hours/")
    opens, closes = page.locator("[name=day-1-open]"), page.locator("[name=day-1-close]")
    expect(opens).to_have_count(1)
    opens.fill("09:00")
    closes.fill("12:00")
    page.click("[data-day='1'] [data-add]")
    opens.nth(1).fill("18:00")
    closes.nth(1).fill("02:00")
    page.check("[name=day-2-closed]")
    page.click("[data-day='1'] [data-copy=weekdays]")
    expect(page.locator("[name=day-5-open] >> nth=1")).to_have_value("18:00")
    expect(page.locator("[data-day='5'] .hours-note >> nth=1")).to_have_text("next day")
    expect(page.locator("[name=day-2-closed]")).not_to_be_checked()
    expect(page.locator("[name=day-6-open]")).to_have_value("")
    confirm = page.locator("[name=day-3-all_day]")
    expect(confirm).to_be_hidden()
    page.fill("[name=day-3-close] >> nth=0", "09:00")
    expect(confirm).to_be_visible()
    page.click("[data-day='3'] [data-remove] >> nth=1")
    confirm.check()
    page.click("[data-add-special]")
    page.fill("#hours-special-days [type=date]", "2099-12-24")
    page.fill("#hours-special-days [type=text]", "Christmas Eve")
    page.check("#hours-special-days [name$=-closed]")
    follow(page.locator(".backoffice-buttons [name=_save]"))
    expect(page.locator("#main")).to_contain_text("Opening hours saved.")
    expect(page.locator("[name=day-5-open]")).to_have_count(2)
    expect(page.locator("[name=day-3-open]")).to_have_count(1)
    expect(page.locator("[name=special-2099-12-24-label]")).to_have_value("Christmas Eve")
    page.goto("/admin/tenants/phonenumber/pn_5Fbakery/rules/")
    texts, handle = page.locator(".rule-text"), page.locator(".rule-handle")
    page.click("[data-move=down] >> nth=0")
    expect(texts.first).to_contain_text("say “b”")
    handle.first.hover()
    page.mouse.down()
    handle.nth(1).hover(position={"x": 5, "y": 30}, force=True)
    page.mouse.up()
    expect(texts.first).to_contain_text("say “a”")
    page.fill("[name=position] >> nth=0", "2")
    page.press("[name=position] >> nth=0", "Tab")
    expect(texts.first).to_contain_text("say “b”")
    follow(page.locator("button:has-text('Save the order')"))
    expect(page.locator("#main")).to_contain_text("Order of the rules saved.")
    expect(texts.first).to_contain_text("say “b”")
