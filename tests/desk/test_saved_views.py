"""Lists that staff keep under a name, for themselves and for each other."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client

from desk import saved_views
from desk.models import SavedView
from tenants.models import PhoneNumber
from tests.admin_client import pick
from tests.factories import make_call

CALLS = "/admin/calls/call/"
VIEWS = "/admin/desk/views/"


@pytest.fixture
def agent(support_agent: User) -> Client:
    """A browser of an agent who may see calls."""
    support_agent.user_permissions.set(Permission.objects.filter(codename="view_call"))
    client = Client()
    client.force_login(support_agent)
    return client


def save(client: Client, name: str = "Failed", **sent: Any) -> Any:
    return client.post(
        VIEWS, {"list": "calls.call", "name": name, "query": "status=failed"} | sent
    )


def names(client: Client) -> list[str]:
    page = client.get(CALLS).content.decode()
    return [view.name for view in SavedView.objects.all() if f">{view.name}</a>" in page]


def test_a_view_leads_back_to_its_list(agent: Client, line: PhoneNumber) -> None:
    response = save(agent, query="status=failed&after=WyJ4Il0%3D&longer=60")
    assert response.url == f"{CALLS}?status=failed&longer=60"
    page = agent.get(response.url).content.decode()
    assert 'href="?status=failed&amp;longer=60" aria-current="true">Failed</a>' in page


def test_saving_again_replaces(agent: Client) -> None:
    save(agent)
    save(agent, query="status=live")
    assert SavedView.objects.get().query == "status=live"


def test_a_view_is_ones_own_unless_it_is_shared(agent: Client, back_office: Client) -> None:
    save(back_office, name="Mine")
    save(back_office, name="Ours", shared="on")
    assert names(back_office) == ["Mine", "Ours"]
    assert names(agent) == ["Ours"]


def test_sharing_needs_the_right(agent: Client) -> None:
    assert save(agent, shared="on").status_code == 403
    assert not SavedView.objects.exists()


def test_nobody_forgets_the_view_of_another(agent: Client, back_office: Client) -> None:
    save(back_office, shared="on")
    view = SavedView.objects.get()
    for key in (str(view.pk), "9" * 40, "-1", "x"):
        agent.post(VIEWS, {"list": "calls.call", "delete": key})
    assert SavedView.objects.exists()
    back_office.post(VIEWS, {"list": "calls.call", "delete": str(view.pk)})
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("which", ["auth.user", "nothing.here", "calls", "", "calls.callsearch"])
def test_a_list_that_one_may_not_see_has_no_views(agent: Client, which: str) -> None:
    assert save(agent, list=which).status_code == 403


def test_a_bad_name_is_refused(agent: Client) -> None:
    for name in ("", " ", "x" * 61):
        response = save(agent, name=name)
        assert "not saved" in agent.get(response.url).content.decode()
    assert not SavedView.objects.exists()


def test_a_name_is_text_on_the_page(agent: Client) -> None:
    save(agent, name="<b>bold</b>")
    assert "<b>bold</b>" not in agent.get(CALLS).content.decode()


def test_a_view_of_another_line_shows_nothing_of_it_in_a_picked_line(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    theirs = make_call(other_line)
    save(back_office, query="line=pn_garage", shared="on")
    pick(back_office, line)
    page = back_office.get(f"{CALLS}?line=pn_garage").content.decode()
    assert str(theirs.pk) not in page
    assert names(back_office) == ["Failed"]


def test_who_had_to_log_in_again_is_told_that_nothing_was_saved(agent: Client) -> None:
    answer = agent.get(VIEWS, follow=True)
    assert answer.redirect_chain[-1] == ("/admin/", 302)
    assert "not saved" in answer.content.decode()
    assert not SavedView.objects.exists()


def test_views_saved_at_the_same_moment_stay_within_the_limit(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_views, "MAX_SAVED_VIEWS", 2)
    user = User.objects.create_superuser("several")
    start = threading.Barrier(5)

    def save_one(number: int) -> None:
        client = Client()
        client.force_login(user)
        try:
            start.wait()
            save(client, f"View {number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(save_one, range(5)))
    assert SavedView.objects.count() == 2


def test_a_view_is_replaced_at_the_limit_too(
    agent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_views, "MAX_SAVED_VIEWS", 2)
    for name in ("One", "Two", "Three"):
        save(agent, name)
    save(agent, "Two", query="status=ringing")
    assert {view.name: view.query for view in SavedView.objects.all()} == {
        "One": "status=failed",
        "Two": "status=ringing",
    }
