"""Each page of the admin, as Chromium and axe-core see it: light and dark, on a desk and a phone.

The list comes from the admin itself, so that a page that is added is looked at too.
"""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page
from procrastinate.contrib.django import app

from analytics.models import StatsVerification
from analytics.tasks import roll_up_calls
from calls.reviews.queue import claim_next
from jobs.models import JobFailure
from local.embedded import ROOT
from monitoring.models import Alert, EndedSession
from monitoring.report import examine, save_report
from monitoring.snapshots import take_snapshot
from tenancy import all_tenants
from tests.browser.conftest import NARROW, WIDE, follow
from tests.browser.pages import LOGIN, MAIN_PAGES, NO_PAGES, addresses, routes, seen
from tests.factories import make_call
from tests.isolation.rows import make_rows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("monitoring")]
AXE = ROOT / "typescript" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
FIND = """
async () => {
    const found = await axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'],
    });
    return found.violations.flatMap((rule) =>
        rule.nodes.slice(0, 3).map((node) => [rule.impact, rule.id, node.html.slice(0, 160)]));
}
"""
TURN = "(dark) => document.documentElement.classList.toggle('dark', dark)"
REFUSALS = {
    "/nowhere": 404,
    "/admin/nowhere/": 404,
    "/admin/calls/call/?created_at__year=x": 400,
}


@pytest.fixture
def everywhere(administrator: User) -> list[str]:
    """Every page that a superuser can open, of two lines with a row of each table."""
    line, _ = make_rows()
    make_call(
        line,
        transcript="AI: Hello?\nCaller: Two loaves, please.",
        ai_confidence="0.3",
        recording_url="https://api.twilio.com/a.mp3",
        created_at=timezone.now(),
    )
    _watch_the_database()
    _work()
    with all_tenants("test"):
        assert claim_next(by=administrator.username, now=timezone.now())
        return list(addresses(administrator))


def _work() -> None:
    """A job of the worker that failed, and a run of the truth check that found something."""
    job = app.configure_task(roll_up_calls.name, queueing_lock="roll_up_calls").defer()
    now = timezone.now()
    with all_tenants("test"):
        JobFailure.objects.create(job_id=job, error="OperationalError", place="a.py:1 in f")
        StatsVerification.objects.create(
            started_at=now, finished_at=now, lines=2, difference_count=2, differences=[]
        )


def _watch_the_database() -> None:
    """A report, a statement, alerts of both kinds and a session that was ended."""
    take_snapshot()
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) AS looked_at FROM calls")
    take_snapshot()
    save_report(examine())
    now = timezone.now()
    with all_tenants("test"):
        for subject, resolved_at in (("open", None), ("over", now)):
            Alert.objects.create(
                metric="index_bloat",
                subject=subject,
                level="warning",
                label="Index bloat",
                text="Half of it holds no entry",
                fix="REINDEX INDEX CONCURRENTLY",
                opened_at=now,
                seen_at=now,
                resolved_at=resolved_at,
            )
        EndedSession.objects.create(
            pid=1,
            how="terminated",
            by="root",
            reason="It held a lock.",
            login="replytics_web",
            work="replytics web",
            state="idle in transaction",
            statement="SELECT 1",
            succeeded=True,
        )


@pytest.fixture
def axe() -> str:
    if not AXE.exists():
        pytest.skip("no axe-core: run npm ci in typescript/")
    return AXE.read_text()


def look(page: Page, axe: str, address: str, *, dark: bool) -> list[str]:
    """What is gravely wrong with a page."""
    assert page.viewport_size
    page.goto(address)
    page.evaluate(axe)
    page.evaluate(TURN, dark)
    found = [each for each in page.evaluate(FIND) if each[0] in GRAVE]
    troubles = [f"{address} {'dark' if dark else 'light'}: {each}" for each in found]
    if page.evaluate("document.documentElement.scrollWidth") > page.viewport_size["width"]:
        troubles.append(f"{address} scrolls sideways")
    return troubles


def look_at_all(page: Page, axe: str, addresses: list[str]) -> None:
    """The fixture `page` fails the test on an error of the console or a request that fails."""
    assert page.viewport_size
    troubles = []
    # Light on one page and dark on the next; the other width has it the other way round.
    turn = page.viewport_size["width"] == NARROW[0]
    for number, address in enumerate(addresses):
        if turn and address.endswith("/delete/"):  # the questions of all are one template
            continue
        troubles += look(page, axe, address, dark=(number + turn) % 2 == 0)
    page.context.clear_cookies()
    for dark in (True, False):
        troubles += look(page, axe, LOGIN, dark=dark)
    assert not troubles, "\n".join(troubles)


@pytest.mark.soak
def test_every_page_is_sound_in_every_look(axe: str, everywhere: list[str], page: Page) -> None:
    look_at_all(page, axe, everywhere)


@pytest.mark.parametrize("page", [WIDE, pytest.param(NARROW, id="narrow")], indirect=True)
def test_the_main_pages_are_sound(axe: str, everywhere: list[str], page: Page) -> None:
    main = [address for address in everywhere if MAIN_PAGES.fullmatch(address)]
    assert len(main) == 4
    look_at_all(page, axe, main)


def test_refusals_are_sound_too(axe: str, page: Page, refused: list[str]) -> None:
    assert page.viewport_size
    for address, status in REFUSALS.items():
        refused.append(address)
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == status
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            # Nothing may run in such a page: what axe would say is said of its words alone.
            style = page.locator("h1").evaluate("(head) => getComputedStyle(head).color")
            assert style != "rgb(0, 0, 0)", "the style sheet did not come"
        follow(page.locator("text=Go to the home page"))
        assert page.url.endswith("/admin/")


def test_every_address_of_the_admin_is_among_the_pages(
    administrator: User, everywhere: list[str]
) -> None:
    """A page that is added shows up here: visit it in pages.py, or say there why it is none."""
    with all_tenants("test"):
        assert seen([*everywhere, LOGIN]) == routes(administrator)
    assert not seen(everywhere) & set(NO_PAGES)
