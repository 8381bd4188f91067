"""Each role may do what docs/permissions.md says, and the pages hold to it."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from desk.management.commands.permission_table import PAGE, page
from desk.roles import OTHER_RIGHTS, ROLES, make_roles
from tenancy import all_tenants
from tenancy.models import ScopedModel
from tenants.models import PhoneNumber
from tests.isolation.rows import MAKERS

HINT = "run manage.py permission_table --write"
# What no role but the superuser's may do, whatever a role is given later.
NEVER = [
    *(
        f"auth.{verb}_{model}"
        for verb in ("add", "change", "delete")
        for model in ("user", "group")
    ),
    "tenants.delete_phonenumber",
    "calls.delete_call",
    "jobs.change_job",
    "monitoring.end_session",
]
OURS = ("tenants", "calls", "analytics", "monitoring", "desk")


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest, support_agent: User) -> str:
    name: str = request.param
    support_agent.groups.set([Group.objects.get(name=name)])
    return name


@pytest.fixture
def client(support_agent: User) -> Client:
    client = Client()
    client.force_login(support_agent)
    return client


def promised() -> dict[tuple[str, str], dict[str, bool]]:
    """What docs/permissions.md says of each table and what is done with it, by role."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ")
    ]
    head, _, *body = rows
    return {
        (row[0], row[1]): dict(zip(head[3:], [cell == "yes" for cell in row[3:]], strict=True))
        for row in body
    }


def address(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_the_table_is_current(db: None) -> None:
    assert PAGE.read_text() == page(), HINT


def test_every_right_of_a_role_exists(db: None) -> None:
    for name, rights in ROLES.items():
        given = Group.objects.get(name=name).permissions.select_related("content_type")
        assert {f"{p.content_type.app_label}.{p.codename}" for p in given} == set(rights)


def test_migrate_puts_back_what_a_role_may_do(db: None) -> None:
    group = Group.objects.get(name="Support agent")
    before = set(group.permissions.values_list("pk", flat=True))
    group.permissions.set(Permission.objects.filter(codename="delete_user"))
    for _ in range(2):
        make_roles(using="default")
    assert set(group.permissions.values_list("pk", flat=True)) == before
    assert Group.objects.filter(name__in=ROLES).count() == len(ROLES)


def test_no_role_has_what_is_the_superusers(db: None) -> None:
    for rights in ROLES.values():
        assert not set(rights) & set(NEVER)
    agents = set(ROLES["Support agent"]) | set(ROLES["Read-only analyst"])
    assert not {right for right in agents if "apikey" in right or "telephony" in right}
    assert not {right for right in agents if ".delete_" in right}
    assert all(".view_" in right for right in ROLES["Read-only analyst"])


def test_pages_answer_as_the_table_says(
    role: str, client: Client, line: PhoneNumber, superuser: User
) -> None:
    with all_tenants("test data"):
        for make in MAKERS.values():
            make(line)
    table = promised()
    for model in admin.site._registry:
        name = str(model._meta.verbose_name_plural)

        def may(verb: str, name: str = name) -> bool:
            return table.get((name, verb), {}).get(role, False)

        seen = client.get(address(model, "changelist")).status_code
        assert (seen == 200) == may("view"), (name, seen)
        added = client.get(address(model, "add")).status_code
        assert (added == 200) == may("add"), (name, added)
        if not issubclass(model, ScopedModel):
            continue
        with all_tenants("test"):
            row = model._base_manager.first()
        if row is None:  # the materialized view
            continue
        shown = client.get(address(model, "change", quote(row.pk)))
        assert (shown.status_code == 200) == may("view"), (name, shown.status_code)
        can_save = 'name="_save"' in shown.content.decode() and 'name="_continue"' in (
            shown.content.decode()
        )
        if may("change"):
            assert can_save, name
        deleted = client.get(address(model, "delete", quote(row.pk))).status_code
        assert (deleted == 200) == may("delete"), (name, deleted)


def test_the_table_has_every_right_that_is_more_than_that_of_a_table(db: None) -> None:
    """One that a model declares and nobody listed would be given to nobody, unnoticed."""
    extra = Permission.objects.filter(content_type__app_label__in=OURS).exclude(
        codename__regex="^(view|add|change|delete)_"
    )
    known = {right for rights in ROLES.values() for right in rights} | set(OTHER_RIGHTS)
    registered = {
        f"{model._meta.app_label}.{codename}"
        for model in admin.site._registry
        for codename, _ in model._meta.permissions
    }
    assert {f"{p.content_type.app_label}.{p.codename}" for p in extra} <= known | registered


@pytest.mark.parametrize("name", ["report", "alerts", "statements", "sessions", "end"])
def test_a_lead_watches_the_database_and_ends_nothing(
    role: str, client: Client, name: str
) -> None:
    is_lead = role == "Support lead"
    answer = client.get(reverse(f"database:{name}"))
    assert (answer.status_code == 200) == (is_lead and name != "end")
    assert b"terminate" not in answer.content
    menu = client.get("/admin/").content.decode()
    assert (f'href="{reverse("database:report")}"' in menu) == is_lead


def test_the_list_of_people_shows_their_roles(
    superuser: User, support_agent: User, django_assert_max_num_queries: Any
) -> None:
    support_agent.groups.set(Group.objects.filter(name__in=["Support agent", "Read-only analyst"]))
    client = Client()
    client.force_login(superuser)
    url = reverse("admin:auth_user_changelist")
    with django_assert_max_num_queries(12):
        page = client.get(url).content.decode()
    assert "Read-only analyst, Support agent" in page
    assert ">Superuser<" in page
    for n in range(5):
        User.objects.create_user(f"person{n}").groups.set(Group.objects.all())
    with django_assert_max_num_queries(12):
        client.get(url)


def test_the_home_page_and_the_queue_open_for_their_roles(role: str, client: Client) -> None:
    assert client.get("/admin/").status_code == 200
    expected = 200 if role != "Read-only analyst" else 403
    assert client.get("/admin/desk/review/").status_code == expected


def test_the_command_prints_the_page(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("permission_table")
    assert capsys.readouterr().out == PAGE.read_text()
