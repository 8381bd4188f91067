"""The pages about the database, as an operator uses them: in a browser, on a desk and a phone."""

import re

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from monitoring.models import Alert
from monitoring.snapshots import take_snapshot
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.browser.conftest import follow
from tests.factories import make_line
from tests.monitoring.conftest import Connect, connect

__all__ = ["connect"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("monitoring")]
REASON = "It held a lock for an hour."


@pytest.fixture
def statement(committed: None) -> str:
    """A part of what ran between two snapshots."""
    take_snapshot()
    with all_tenants("test"), connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute("SELECT id AS seen_by_a_browser FROM phone_numbers WHERE id = 'pn_1'")
    take_snapshot()
    return "seen_by_a_browser"


@pytest.fixture
def bakery(committed: None) -> PhoneNumber:
    return make_line(business_name="Bakery")


@pytest.fixture
def alert(committed: None) -> Alert:
    with all_tenants("test"):
        return Alert.objects.create(
            metric="cache_hits",
            subject="",
            level="warning",
            label="Cache hits",
            text="80% of blocks were in the cache",
            fix="See which statements read the most blocks",
            opened_at=timezone.now(),
            seen_at=timezone.now(),
        )


def test_findings_are_looked_for_and_say_how(page: Page) -> None:
    page.goto("/admin/database/")
    expect(page.locator("#content-main")).to_contain_text("No report yet")
    follow(page.locator("text=Check now"))
    expect(page.locator(".database-head .database-level")).to_have_text(
        re.compile("ok|warning|critical")
    )
    row = page.locator("tr", has_text="Connections")
    expect(row.locator("pre")).to_be_hidden()
    row.locator("summary").click()
    expect(row.locator("pre")).to_contain_text("pg_stat_activity")


def test_a_statement_shows_its_plan_on_request(statement: str, page: Page) -> None:
    page.goto("/admin/database/statements/")
    follow(page.locator(".backoffice-tabs a:text-is('Calls')"))
    expect(page).to_have_url(re.compile("order=calls"))
    row = page.locator("tr", has_text=statement)
    expect(row.locator(".database-number").nth(1)).to_have_text("3")
    follow(row.locator("a:text-is('plan')"))
    expect(page.locator("#content-main")).to_contain_text("was not run")
    expect(page.locator("#content-main pre").first).to_contain_text(statement)
    expect(page.locator("[aria-labelledby=plan]")).to_contain_text(re.compile("cost=|No plan"))


def test_a_session_is_ended_with_a_reason(connect: Connect, page: Page) -> None:
    session = connect(name="idler")
    session.execute("BEGIN")
    pid = session.info.backend_pid
    page.goto("/admin/database/sessions/")
    row = page.locator("tr", has_text="idler").filter(has_text=str(pid))
    expect(row).to_contain_text("idle in transaction")
    follow(row.locator("text=terminate"))
    expect(page.locator("#content-main")).to_contain_text(f"ends the session of process {pid}.")
    page.fill("[name=reason]", "so")
    page.click("text=End session")
    expect(page.locator("[name=reason]")).to_have_value("so")  # the browser refuses so few
    page.fill("[name=reason]", REASON)
    follow(page.locator("text=End session"))
    expect(page.locator("#main")).to_contain_text(f"Process {pid}: terminated")
    expect(page.locator("[aria-labelledby=ended]")).to_contain_text(REASON)
    row = page.locator("tr", has_text=f" {pid} ")
    for _ in range(50):  # it ends a moment after it was told to
        if row.count() == 0:
            break
        page.reload()
    expect(row).to_have_count(0)


def test_an_alert_is_acknowledged_and_snoozed(alert: Alert, page: Page) -> None:
    page.goto("/admin/database/alerts/")
    page.fill("[name=note]", "The import runs.")
    follow(page.locator("text=Acknowledge"))
    expect(page.locator("#main")).to_contain_text("acknowledged by root")
    expect(page.locator("[name=note]")).to_have_value("The import runs.")
    page.select_option("[name=hours]", label="8 hours")
    follow(page.get_by_role("button", name="Snooze"))
    expect(page.locator("#main")).to_contain_text("snoozed by root until")


def test_without_alerts_the_page_says_so(page: Page) -> None:
    page.goto("/admin/database/alerts/")
    expect(page.locator("#content-main")).to_contain_text("No problems found.")


def test_inside_a_line_the_database_is_not_shown(bakery: PhoneNumber, page: Page) -> None:
    page.goto(f"/admin/line/?q={bakery.pk}")
    follow(page.locator("text=Work in this line"))
    page.goto("/admin/database/")
    expect(page.locator("#main")).to_contain_text("Leave the line to open them")
    expect(page.locator("#line-switcher")).to_contain_text("Working in: Bakery")
