"""Every page of every model in the admin, for whoever may and may not see it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from analytics.models import PhonePerformance
from tenancy import all_tenants
from tenancy.models import ScopedModel
from tenants.line_admin import ReadOnlyAdmin
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.conftest import committing
from tests.isolation.rows import make_rows

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# The materialized view shows what was committed: tests/analytics/test_admin_statistics.py.
FURNISHED = [
    model for model in MODELS if issubclass(model, ScopedModel) and model is not PhonePerformance
]


def is_read_only(model: Any) -> bool:
    return isinstance(admin.site._registry[model], ReadOnlyAdmin)


def page(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[PhoneNumber]:
    """A row of every table for two lines, the first of which it is."""
    with committing(django_db_blocker):
        yield make_rows()[0]


def first_row(model: Any) -> Any:
    with all_tenants("test"):
        row = model._base_manager.first()
    assert row is not None, f"no row of {model._meta.label}: add one to MAKERS"
    return row


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_list_shows_its_rows_in_few_queries(
    model: Any, world: PhoneNumber, back_office: Client
) -> None:
    with CaptureQueriesContext(connection) as queries:
        rows = listed(back_office, page(model, "changelist")).result_list
    assert len(queries) <= 15
    assert rows or model not in FURNISHED


@pytest.mark.parametrize("model", FURNISHED, ids=lambda model: model._meta.label)
def test_list_needs_no_more_queries_for_more_rows(
    model: Any, world: PhoneNumber, back_office: Client
) -> None:
    counts = []
    for query in ("?line=pn_bakery", ""):
        if query and not hasattr(model, "phone"):
            query = "?q=pn_bakery"
        with CaptureQueriesContext(connection) as queries:
            rows = listed(back_office, page(model, "changelist") + query).result_list
        counts.append((len(rows), len(queries)))
    (few, queries_for_few), (many, queries_for_many) = counts
    assert few < many
    assert queries_for_many <= queries_for_few


@pytest.mark.parametrize("model", [User, *FURNISHED], ids=lambda model: model._meta.label)
def test_add_page_opens_where_rows_may_be_added(
    model: Any, world: PhoneNumber, back_office: Client
) -> None:
    expected = 403 if is_read_only(model) else 200
    assert back_office.get(page(model, "add")).status_code == expected


@pytest.mark.parametrize("model", [User, *FURNISHED], ids=lambda model: model._meta.label)
def test_change_delete_and_history_pages_open(
    model: Any, world: PhoneNumber, back_office: Client
) -> None:
    key = quote(first_row(model).pk)
    assert back_office.get(page(model, "change", key)).status_code == 200
    assert back_office.get(page(model, "history", key)).status_code == 200
    expected = 403 if is_read_only(model) else 200
    assert back_office.get(page(model, "delete", key)).status_code == expected


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_staff_without_rights_see_nothing(model: Any, support_agent: User, client: Client) -> None:
    client.force_login(support_agent)
    assert client.get(page(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", FURNISHED, ids=lambda model: model._meta.label)
def test_staff_who_may_look_may_only_look(
    model: Any, world: PhoneNumber, support_agent: User, client: Client
) -> None:
    support_agent.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(support_agent)
    assert listed(client, page(model, "changelist")).result_list
    key = quote(first_row(model).pk)
    shown = client.get(page(model, "change", key))
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()
    assert client.post(page(model, "change", key), {}).status_code == 403
    assert client.post(page(model, "delete", key), {"post": "yes"}).status_code == 403
    assert client.get(page(model, "add")).status_code == 403
    action = {"action": "delete_selected", "_selected_action": str(first_row(model).pk)}
    client.post(page(model, "changelist"), action | {"post": "yes"})
    assert first_row(model)


def test_log_in_change_password_and_log_out(superuser: User, client: Client) -> None:
    login = {"username": "root", "password": "correct horse"}
    assert client.post(reverse("admin:login"), login).status_code == 302
    assert "Replytics" in client.get(reverse("admin:index")).content.decode()
    change = {
        "old_password": "correct horse",
        "new_password1": "battery staple 9",
        "new_password2": "battery staple 9",
    }
    assert client.post(reverse("admin:password_change"), change).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.post(reverse("admin:logout")).status_code == 200
    assert client.get(reverse("admin:index")).status_code == 302
    assert client.post(reverse("admin:login"), login).status_code == 200  # the old password
    login["password"] = "battery staple 9"
    assert client.post(reverse("admin:login"), login).status_code == 302


def test_a_customer_with_the_right_password_is_refused(db: None, client: Client) -> None:
    User.objects.create_user("customer", password="correct horse")
    response = client.post(
        reverse("admin:login"), {"username": "customer", "password": "correct horse"}
    )
    assert "correct username and password for a staff account" in response.content.decode()


@pytest.mark.parametrize("picked", [False, True])
def test_users_and_groups_are_added(back_office: Client, world: PhoneNumber, picked: bool) -> None:
    if picked:
        pick(back_office, world)
    user = {
        "username": "new",
        "usable_password": "true",
        "password1": "battery staple 9",
        "password2": "battery staple 9",
    }
    assert back_office.post(reverse("admin:auth_user_add"), user).status_code == 302
    assert back_office.post(reverse("admin:auth_group_add"), {"name": "leads"}).status_code == 302
    assert User.objects.filter(username="new").exists()
    assert LogEntry.objects.count() == 2


def test_a_column_cannot_be_searched_through_the_query_string(
    back_office: Client, world: PhoneNumber
) -> None:
    for query in (
        "transcript__icontains=x",
        "phone__calls__call_sid=x",
        "created_at__month=1",
        "created_at__year=9999",
        "created_at__year=20&created_at__minute=1",
    ):
        assert back_office.get(f"/admin/calls/call/?{query}").status_code == 400
