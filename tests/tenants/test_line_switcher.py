"""Staff confine the admin to one line, and leave it again."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from calls.models import Call
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.factories import make_call, make_line

SWITCH = "/admin/line/"


@pytest.fixture
def agent(support_agent: User) -> User:
    """A support agent who may see lines."""
    support_agent.user_permissions.add(Permission.objects.get(codename="view_phonenumber"))
    return support_agent


@pytest.fixture
def client(agent: User) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def page(client: Client, path: str = "/admin/", **query: str) -> str:
    return client.get(path, query).content.decode()


def pick(client: Client, line: str) -> Any:
    return client.post(SWITCH, {"line": line}, follow=True)


def test_header_says_which_line_is_picked(client: Client, line: PhoneNumber) -> None:
    assert "All lines" in page(client)
    assert (
        "Working in: <strong>Bakery (+14155550101)</strong>"
        in pick(client, "pn_bakery").content.decode()
    )
    assert "Working in: <strong>Bakery (+14155550101)</strong>" in page(client)
    assert "You are viewing all lines." in pick(client, "").content.decode()
    assert "Working in" not in page(client)


@pytest.mark.parametrize(
    "words", ["bake", "BAKERY", "front desk", "pn_bakery", "+14155550101", "(415) 555-0101"]
)
def test_search_finds_a_line(
    client: Client, line: PhoneNumber, other_line: PhoneNumber, words: str
) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(display_name="Front desk")
    found = page(client, SWITCH, q=words)
    assert "Bakery" in found
    assert "Garage" not in found


def test_search_shows_a_page_of_lines_at_most(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(25):
        make_line(business_name=f"Branch {n:02}")
    with django_assert_max_num_queries(12):
        found = page(client, SWITCH, q="branch")
    assert found.count("Work in this line") == 20
    assert "More lines match" in found
    assert "Branch 00" not in page(client, SWITCH)


def test_search_says_when_nothing_matches(client: Client) -> None:
    assert "No lines match “&lt;b&gt;”" in page(client, SWITCH, q="<b>")


def test_search_works_inside_a_line(
    client: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    pick(client, line.pk)
    assert "Garage" in page(client, SWITCH, q="garage")
    assert "Garage (+14155550202)" in pick(client, other_line.pk).content.decode()


def test_unknown_line_is_not_picked(client: Client) -> None:
    assert "Line not found" in pick(client, "pn_gone").content.decode()
    assert "Working in" not in page(client)


def test_deleted_line_is_left_with_a_message(client: Client, line: PhoneNumber) -> None:
    pick(client, line.pk)
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).delete()
    # Not answered with all lines: it was meant for the one that is gone.
    assert client.post("/admin/password_change/", {}).url == "/admin/"  # type: ignore[attr-defined]
    assert "The line you worked in was deleted" in page(client)
    assert client.get("/admin/password_change/").status_code == 200


def test_deleted_line_does_not_hold_up_logout(client: Client, line: PhoneNumber) -> None:
    pick(client, line.pk)
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).delete()
    assert "Logged out" in client.post("/admin/logout/").content.decode()
    assert client.get("/admin/").status_code == 302


def test_switching_takes_a_post_with_csrf_token(agent: User, line: PhoneNumber) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(agent)
    assert client.post(SWITCH, {"line": line.pk}).status_code == 403
    assert "Working in" not in page(client, SWITCH, line=line.pk)


def test_switching_takes_the_permission_to_see_lines(
    support_agent: User, line: PhoneNumber
) -> None:
    client = Client()
    client.force_login(support_agent)
    assert client.get(SWITCH, {"q": "bakery"}).status_code == 403
    assert client.post(SWITCH, {"line": line.pk}).status_code == 403
    assert "Work in one line" not in page(client)
    assert client.post(SWITCH, {"line": ""}).status_code == 302


def test_switching_is_for_staff(db: None, line: PhoneNumber) -> None:
    client = Client()
    assert client.get(SWITCH).url.startswith("/admin/login/")  # type: ignore[attr-defined]
    client.force_login(User.objects.create_user("visitor"))
    assert client.post(SWITCH, {"line": line.pk}).status_code == 302
    assert "picked_line" not in client.session


def test_picked_line_is_held_by_both_walls(
    client: Client, line: PhoneNumber, other_line: PhoneNumber, caplog: pytest.LogCaptureFixture
) -> None:
    make_call(line)
    make_call(other_line)
    pick(client, line.pk)
    with caplog.at_level(logging.INFO, "replytics.audit"):
        response: Any = client.get("/admin/")
    assert response.wsgi_request.picked_line == line
    assert caplog.records == []  # no entry into all lines
    pick(client, "")
    with caplog.at_level(logging.INFO, "replytics.audit"):
        client.get("/admin/")
    [record] = caplog.records
    assert record.getMessage().startswith("all tenants: admin, user ")
    with all_tenants("test"):
        assert Call.objects.count() == 2


def test_login_and_logout_need_no_scope(db: None, agent: User) -> None:
    client = Client()
    assert client.get("/admin/login/").status_code == 200
    login = {"username": agent.username, "password": "correct horse", "next": "/admin/"}
    assert client.post("/admin/login/", login).url == "/admin/"  # type: ignore[attr-defined]
    assert "All lines" in page(client)
    assert "Logged out" in client.post("/admin/logout/").content.decode()
