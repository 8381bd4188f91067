"""Each page of the admin, as Chromium and axe-core see it: light and dark, on a desk and a phone.

The list comes from the admin itself, so that a page that is added is looked at too.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from calls.reviews.queue import claim_next
from replytics.embedded import ROOT
from tenants.scoping import all_tenants
from tests.factories import make_call
from tests.isolation.rows import make_rows

pytestmark = pytest.mark.browser
AXE = ROOT / "typescript" / "node_modules" / "axe-core" / "axe.min.js"
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
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
WIDE = 1440


@pytest.fixture
def addresses(administrator: User) -> list[str]:
    """Every page that a superuser can open, of two lines with a row of each table."""
    line, _ = make_rows()
    make_call(
        line,
        transcript="AI: Hello?\nCaller: Two loaves, please.",
        ai_confidence="0.3",
        recording_url="https://api.twilio.com/a.mp3",
        created_at=timezone.now(),
    )
    with all_tenants("test"):
        assert claim_next(by=administrator.username, now=timezone.now())
        return list(_addresses(administrator))


def _addresses(user: User) -> Iterator[str]:
    yield from ("/admin/", "/admin/desk/review/", "/admin/password_change/", "/admin/line/?q=a")
    yield "/admin/calls/call/?q=nobody+has+this+name&longer=1"
    request: Any = RequestFactory().get("/")
    request.user = user
    for model in MODELS:
        model_admin: Any = admin.site._registry[model]
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        if model_admin.has_add_permission(request):
            yield reverse(f"{name}_add")
        row = model._base_manager.first()
        if row is not None:
            yield reverse(f"{name}_change", args=[quote(row.pk)])
            if model_admin.has_delete_permission(request):
                yield reverse(f"{name}_delete", args=[quote(row.pk)])


@pytest.fixture
def axe() -> str:
    if not AXE.exists():
        pytest.skip("no axe-core: run npm ci in typescript/")
    return AXE.read_text()


def test_every_page_is_sound_in_every_look(axe: str, addresses: list[str], page: Page) -> None:
    """The fixture `page` fails the test on an error of the console or a request that fails."""
    assert page.viewport_size
    troubles = []
    for number, address in enumerate(addresses):
        page.goto(address)
        page.evaluate(axe)
        # Light on one page and dark on the next; the other width has it the other way round.
        dark = (number + (page.viewport_size["width"] == WIDE)) % 2 == 1
        page.evaluate(TURN, dark)
        found = [each for each in page.evaluate(FIND) if each[0] in GRAVE]
        troubles += [f"{address} {'dark' if dark else 'light'}: {each}" for each in found]
        if page.evaluate("document.documentElement.scrollWidth") > page.viewport_size["width"]:
            troubles.append(f"{address} scrolls sideways")
    assert not troubles, "\n".join(troubles)


def test_every_table_of_the_admin_is_among_the_pages(addresses: list[str]) -> None:
    lists = {reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in MODELS}
    assert lists <= set(addresses)
