"""Long addresses, SIDs without a blank, and text from right to left stay where they belong."""

import pytest
from django.db import connection
from playwright.sync_api import Page

from calls.models import Call
from monitoring.report import examine, save_report
from tenancy import all_tenants
from tests.browser.conftest import NARROW
from tests.factories import make_call, make_line

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("monitoring")]
SIP = "sip:a-user-name-that-goes-on-and-on.department@subdomain.pbx.company.example.com"
HEBREW = "אני רוצה לקבוע תור."
PARTS = """
INSERT INTO call_legs (phone_id, call_sid, leg_sid, "to", status, duration, started_at)
VALUES (%(line)s, %(sid)s, 'CAl', %(sip)s, 'completed', 181, now());
INSERT INTO call_recordings (phone_id, call_sid, recording_sid, url, state, duration, started)
VALUES (%(line)s, %(sid)s, 'RE' || repeat('b', 32),
    'https://other.example.com/' || repeat('c', 200), 'completed', 48, now())
"""


@pytest.fixture
def call(committed: None) -> Call:
    """A call from a SIP address, with a leg and a recording, and in Hebrew."""
    line = make_line(id="pn_" + "x" * 32)
    call = make_call(
        line,
        caller_number=SIP,
        transcript=f"AI: Hello?\nCaller: {HEBREW}",
        ai_summary=HEBREW,
        metadata={"tags": ["t" * 90]},
    )
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(PARTS, {"line": line.pk, "sid": call.call_sid, "sip": SIP})
    return call


@pytest.fixture
def report(committed: None) -> None:
    with all_tenants("test data"):
        save_report(examine())


def outside(page: Page, selector: str) -> list[str]:
    """The text of elements whose contents are wider than they are."""
    found: list[str] = page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)]
            .filter((box) => box.scrollWidth > box.clientWidth)
            .map((box) => box.innerText.slice(0, 200))""",
        selector,
    )
    return found


def test_all_of_a_call_stays_inside_its_panels(call: Call, page: Page) -> None:
    page.goto(f"/admin/calls/call/{call.pk}/change/")
    assert page.locator("#call-legs, #call-recordings").count() == 2
    assert outside(page, ".backoffice-panel") == []


@pytest.mark.parametrize("table", ["call", "callmetadata"])
def test_a_list_is_as_wide_as_its_page(call: Call, page: Page, table: str) -> None:
    page.goto(f"/admin/calls/{table}/")
    assert page.locator("#result_list tbody tr").count() == 1
    list_width = page.locator("#result_list").evaluate("(table) => table.offsetWidth")
    assert list_width <= page.locator(".backoffice-results").evaluate("(box) => box.offsetWidth")


def test_text_begins_on_the_side_of_its_script(call: Call, page: Page) -> None:
    page.goto(f"/admin/calls/call/{call.pk}/change/")
    for selector in (".dialogue-caller p", ".backoffice-prose", "#id_ai_summary"):
        style = page.locator(selector).first.evaluate("(box) => getComputedStyle(box).unicodeBidi")
        assert style == "plaintext"


@pytest.mark.parametrize("name", ["", "sessions/", "statements/"])
def test_the_database_is_read_on_a_phone(report: None, page: Page, name: str) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto(f"/admin/database/{name}")
    assert page.locator(".database-cards tbody tr").count() > 0
    assert outside(page, ".database-scroll") == []
