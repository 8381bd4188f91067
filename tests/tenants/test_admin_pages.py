"""Every page of every model in the admin, for whoever may and may not see it."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.models import PhonePerformance
from calls.models import CallArchive
from tenants.models import BusinessHours, ConversationRule, PhoneNumber, VoiceSettings
from tenants.scoping import all_tenants
from tests.backoffice import listed, pick
from tests.factories import make_call

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [model for model in MODELS if model._meta.app_label != "auth"]
# The materialized view shows what was committed: tests/analytics/test_admin_statistics.py.
FURNISHED = [model for model in OURS if model is not PhonePerformance]


def page(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def furnish(line: PhoneNumber) -> None:
    """A row of every table for the line."""
    make_call(line, metadata={"tags": ["vip"], "metadata": {"language": "en"}})
    with all_tenants("test data"):
        VoiceSettings.objects.create(phone=line)
        ConversationRule.objects.create(phone=line, rule_type="greeting")
        BusinessHours.objects.create(
            phone=line, day_of_week=1, open_time="09:00", close_time="17:00"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT app.create_archive_partitions('2025-05-01', '2025-05-01');
                INSERT INTO calls_archive (id, phone_id, caller_number, call_sid, status,
                                           created_at)
                VALUES (gen_random_uuid(), %(line)s, '+14155550000', 'CA1' || %(line)s,
                        'completed', '2025-05-01');
                INSERT INTO daily_call_stats (phone_id, date, total_calls)
                VALUES (%(line)s, '2026-05-01', 7);
                INSERT INTO call_analytics (phone_id, date_bucket, total_calls)
                VALUES (%(line)s, '2026-05-01 13:00+00', 7);
                """,
                {"line": line.pk},
            )


@pytest.fixture
def world(line: PhoneNumber, other_line: PhoneNumber) -> None:
    furnish(line)
    furnish(other_line)
    Group.objects.create(name="support")


def first_row(model: Any) -> Any:
    with all_tenants("test"):
        row = model._base_manager.first()
    assert row is not None, f"furnish() makes no row of {model._meta.label}: add one"
    return row


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_list_shows_its_rows_in_few_queries(model: Any, world: None, back_office: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        rows = listed(back_office, page(model, "changelist")).result_list
    assert len(queries) <= 15
    assert rows or model is PhonePerformance  # which is empty until refresh_summary has run


@pytest.mark.parametrize("model", FURNISHED, ids=lambda model: model._meta.label)
def test_list_needs_no_more_queries_for_more_rows(
    model: Any, world: None, back_office: Client
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


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_add_page_opens_where_rows_may_be_added(
    model: Any, world: None, back_office: Client
) -> None:
    may = model not in (CallArchive, PhonePerformance) and model._meta.managed
    assert back_office.get(page(model, "add")).status_code == (200 if may else 403)


@pytest.mark.parametrize("model", [User, *FURNISHED], ids=lambda model: model._meta.label)
def test_change_delete_and_history_pages_open(
    model: Any, world: None, back_office: Client
) -> None:
    key = quote(first_row(model).pk)
    assert back_office.get(page(model, "change", key)).status_code == 200
    assert back_office.get(page(model, "history", key)).status_code == 200
    may = model is not CallArchive and model._meta.managed
    assert back_office.get(page(model, "delete", key)).status_code == (200 if may else 403)


@pytest.mark.parametrize("model", FURNISHED, ids=lambda model: model._meta.label)
def test_a_picked_line_confines_lists_and_pages(
    model: Any, world: None, back_office: Client
) -> None:
    pick(back_office, PhoneNumber(pk="pn_bakery"))
    rows = listed(back_office, page(model, "changelist")).result_list
    lines = {getattr(row, model.line_field) for row in rows}
    assert lines == {"pn_bakery"}
    with all_tenants("test"):
        foreign = model._base_manager.filter(**{model.line_field: "pn_garage"}).first()
    key = quote(foreign.pk)
    for name in ("change", "history", "delete"):
        response = back_office.get(page(model, name, key), follow=True)
        assert "exist. Perhaps it" in response.content.decode() or response.status_code == 403
        assert "Garage" not in response.content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_nobody_but_staff_gets_in(model: Any, db: None) -> None:
    client = Client()
    url = page(model, "changelist")
    assert client.get(url).headers["Location"].startswith(reverse("admin:login"))
    client.force_login(User.objects.create_user("customer", password="correct horse"))
    assert client.get(url).headers["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_staff_without_rights_see_nothing(model: Any, support_agent: User, client: Client) -> None:
    client.force_login(support_agent)
    assert client.get(page(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", FURNISHED, ids=lambda model: model._meta.label)
def test_staff_who_may_look_may_only_look(
    model: Any, world: None, support_agent: User, client: Client
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
def test_users_and_groups_are_added(back_office: Client, line: PhoneNumber, picked: bool) -> None:
    if picked:
        pick(back_office, line)
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
    back_office: Client, line: PhoneNumber
) -> None:
    for query in (
        "transcript__icontains=x",
        "phone__calls__call_sid=x",
        "created_at__month=1",
        "created_at__year=9999",
        "created_at__year=20&created_at__minute=1",
    ):
        assert back_office.get(f"/admin/calls/call/?{query}").status_code == 400
