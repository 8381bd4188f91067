"""Every page of the admin, inside a picked line and outside of one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analytics.models import StatsVerification
from tenancy.models import ScopedModel
from tenants.line_middleware import PICKED_LINE
from tests.isolation.admin_urls import site
from tests.isolation.conftest import Lines

pytestmark = pytest.mark.urls("tests.isolation.admin_urls")

PAGES = {"changelist", "add", "change", "history", "delete"}
REGISTERED: list[Any] = list(site._registry)
SCOPED = [model for model in REGISTERED if issubclass(model, ScopedModel)]
SHARED = [model for model in REGISTERED if not issubclass(model, ScopedModel)]


@pytest.fixture(scope="module")
def superuser(lines: Lines) -> User:
    return User.objects.create_superuser("module", password="correct horse")


@pytest.fixture
def client(superuser: User) -> Iterator[Client]:
    client = Client()
    client.force_login(superuser)
    yield client
    client.logout()


@pytest.fixture
def picked(client: Client, lines: Lines) -> Client:
    session = client.session
    session[PICKED_LINE] = lines.line.pk
    session.save()
    return client


def url(model: Any, page: str, row: Any = None) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=[quote(row.pk)] if row is not None else [])


def marks(lines: Lines, model: Any, line: Any) -> list[str]:
    """What would show that a page knows the line's row."""
    row = lines.row(model, line)
    # A number of its own stands on many a page.
    key = url(model, "change", row) if isinstance(row.pk, int) else str(quote(row.pk))
    return [key, line.business_name, line.number]


@pytest.mark.parametrize("admin_model", SCOPED)
def test_list_in_a_picked_line(
    lines: Lines, picked: Client, admin_model: Any, count_assertion: Callable[[], None]
) -> None:
    for query in ({}, {"q": lines.line.business_name}, {"p": "1"}, {"o": "1"}):
        response = picked.get(url(admin_model, "changelist"), query, follow=True)
        assert response.status_code == 200
        for mark in marks(lines, admin_model, lines.other):
            assert mark not in response.content.decode()
        count_assertion()
    own = picked.get(url(admin_model, "changelist")).content.decode()
    assert marks(lines, admin_model, lines.line)[0] in own


@pytest.mark.parametrize("admin_model", SCOPED)
def test_list_over_all_lines(
    lines: Lines, client: Client, admin_model: Any, count_assertion: Callable[[], None]
) -> None:
    page = client.get(url(admin_model, "changelist")).content.decode()
    for line in (lines.line, lines.other):
        assert marks(lines, admin_model, line)[0] in page
        count_assertion()


@pytest.mark.parametrize("page", ["change", "history", "delete"])
@pytest.mark.parametrize("admin_model", SCOPED)
def test_pages_of_a_row(
    lines: Lines, picked: Client, admin_model: Any, page: str, count_assertion: Callable[[], None]
) -> None:
    own, theirs = lines.row(admin_model), lines.row(admin_model, lines.other)
    response = picked.get(url(admin_model, page, own))
    assert response.status_code in (200, 403)  # 403 where nobody may change or delete
    for mark in marks(lines, admin_model, lines.other):
        assert mark not in response.content.decode()
    for method in (picked.get, picked.post):
        # What does not exist sends to the start page with a message, or is not found.
        refused = method(url(admin_model, page, theirs), {"post": "yes"})
        assert refused.status_code in (302, 403, 404, 405)
        assert lines.other.business_name not in refused.content.decode()
    assert lines.row(admin_model, lines.other).pk == theirs.pk
    count_assertion()


@pytest.mark.parametrize("admin_model", SCOPED)
def test_add_page_offers_the_picked_line_alone(
    lines: Lines, picked: Client, admin_model: Any, count_assertion: Callable[[], None]
) -> None:
    response = picked.get(url(admin_model, "add"))
    assert response.status_code in (200, 403)
    assert lines.other.business_name not in response.content.decode()
    assert lines.other.number not in response.content.decode()
    count_assertion()


@pytest.mark.parametrize("admin_model", SCOPED)
def test_actions_do_not_reach_another_line(
    lines: Lines, picked: Client, admin_model: Any, count_assertion: Callable[[], None]
) -> None:
    theirs = lines.row(admin_model, lines.other)
    model_admin: Any = site._registry[admin_model]
    for _, action, _ in model_admin._get_base_actions():
        chosen = {"action": action, ACTION_CHECKBOX_NAME: [str(theirs.pk)], "post": "yes"}
        picked.post(url(admin_model, "changelist"), chosen)
        after = lines.row(admin_model, lines.other)
        assert {f.attname: getattr(after, f.attname) for f in after._meta.fields} == {
            f.attname: getattr(theirs, f.attname) for f in theirs._meta.fields
        }
        count_assertion()


def test_autocomplete_offers_the_picked_line_alone(
    lines: Lines, picked: Client, count_assertion: Callable[[], None]
) -> None:
    for model in SCOPED:
        for field in model._meta.fields:
            target: Any = site._registry.get(field.related_model) if field.is_relation else None
            if target is None or not target.search_fields:
                continue
            query = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field.name,
            }
            page = picked.get(reverse("admin:autocomplete"), query).content.decode()
            for mark in marks(lines, field.related_model, lines.other):
                assert mark not in page
            count_assertion()


@pytest.mark.parametrize("admin_model", SHARED)
def test_pages_of_shared_tables_work_in_and_out_of_a_line(
    lines: Lines, picked: Client, admin_model: Any
) -> None:
    of_all_lines = admin_model is StatsVerification  # which nobody sees inside one
    inside = picked.get(url(admin_model, "changelist")).status_code
    assert inside == (403 if of_all_lines else 200)
    picked.post(reverse("switch_line"), {"line": ""})
    assert picked.get(url(admin_model, "changelist")).status_code == 200


@pytest.mark.parametrize("admin_model", SCOPED)
def test_people_who_are_not_staff_get_nothing(lines: Lines, admin_model: Any) -> None:
    client = Client()
    assert client.get(url(admin_model, "changelist")).status_code == 302
    client.force_login(User.objects.create_user(f"visitor {admin_model.__name__}"))
    assert client.get(url(admin_model, "changelist")).status_code == 302


def test_completeness_of_admin_pages() -> None:
    """A page that a ModelAdmin adds to Django's five gets a test, and its name in PAGES."""
    for model, model_admin in site._registry.items():
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        names = {pattern.name for pattern in model_admin.get_urls() if pattern.name}
        pages = {name.removeprefix(prefix) for name in names}
        # The preview of a rule reads no row: tests/tenants/test_rule_form.py. A number is moved by
        # who sees all lines: tests/tenants/test_number_move.py. A call is tried on one line:
        # tests/decisions/test_simulator.py, and decided again in test_call_why.py. Opening hours
        # and the order of rules: test_week_form.py and test_rule_order.py in tests/tenants.
        own = {"auth_user_password_change", "password_change", "preview", "move_number"}
        own |= {"simulate", "decide_again", "hours", "rules"}
        # Previews: tests/decisions/test_settings_preview.py.
        own |= {"would_change", "would_change_if_added", "hours_would_change"}
        assert pages - PAGES <= own, model
