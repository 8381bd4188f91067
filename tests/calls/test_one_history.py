"""Live and archived calls are one history to whoever searches one of the two lists."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calls.models import Call
from tenants.models import PhoneNumber
from tests.admin_client import listed
from tests.calls.archive import query
from tests.factories import archive, make_call

CALLS = "/admin/calls/call/"
ARCHIVED = "/admin/calls/callarchive/"
SID = "CA0123456789abcdef0123456789abcdef"
LONG_AGO = datetime(2020, 1, 5, 12, tzinfo=UTC)


def make_archived(line: PhoneNumber, **fields: Any) -> Call:
    call = make_call(line, **{"created_at": LONG_AGO, **fields})
    archive(call)
    return call


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("how", ["call_sid", "caller_number", "id"])
def test_a_search_of_live_calls_leads_to_the_same_search_of_archived_ones(
    back_office: Client, line: PhoneNumber, how: str
) -> None:
    call = make_archived(line, call_sid=SID, caller_number="+4930901820")
    make_archived(line)
    term = str(getattr(call, how)).replace("+", "%2B")
    link = f"{ARCHIVED}?q={term}"
    assert f'<a href="{link}">Search in archived calls</a>' in page(
        back_office, f"{CALLS}?q={term}"
    )
    assert [row.pk for row in listed(back_office, link).result_list] == [call.pk]


def test_a_search_of_archived_calls_leads_to_the_same_search_of_live_ones(
    back_office: Client, line: PhoneNumber
) -> None:
    link = f"{CALLS}?q=%2B4930901820"
    assert f'<a href="{link}">Search in live calls</a>' in page(
        back_office, f"{ARCHIVED}?q=%2B4930901820"
    )


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ("tag=vip", 1),
        ("longer=60", 2),
        ("first=2020-01-01&last=2020-01-31", 3),
        ("created_at__year=2020", 3),
        ("created_at__year=2021", 0),
        ("hold=yes", 0),
    ],
)
def test_the_other_list_has_the_same_filters(
    back_office: Client, line: PhoneNumber, selection: str, found: int
) -> None:
    for duration, tag in ((5, "new"), (60, "vip"), (90, "new")):
        call = make_archived(line, duration=duration)
        query("UPDATE calls_archive SET tags = ARRAY[%s] WHERE id = %s", [tag, call.pk])
    shown: Any = back_office.get(f"{CALLS}?{selection}")
    link = shown.context_data["other_list"]
    assert link == f"{ARCHIVED}?{selection}"
    assert len(listed(back_office, link).result_list) == found


@pytest.mark.parametrize(
    ("selection", "link"),
    [("", ""), ("?status=live", ""), ("?status=live&tag=vip", "?tag=vip"), ("?before=end", "")],
)
def test_what_the_other_list_does_not_have_is_left_out(
    back_office: Client, line: PhoneNumber, selection: str, link: str
) -> None:
    assert f'<a href="{ARCHIVED}{link}">' in page(back_office, f"{CALLS}{selection}")


def test_the_other_list_is_not_read(back_office: Client, line: PhoneNumber) -> None:
    make_archived(line, call_sid=SID)
    with CaptureQueriesContext(connection) as queries:
        page(back_office, f"{CALLS}?q={SID}")
    assert not [q for q in queries if "calls_archive" in q["sql"]]


def test_who_may_not_see_the_archive_hears_nothing_of_it(
    client: Client, line: PhoneNumber
) -> None:
    make_archived(line, call_sid=SID)
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_call"))
    client.force_login(user)
    html = page(client, f"{CALLS}?q={SID}")
    assert "archived calls" not in html


def test_both_lists_take_few_queries(back_office: Client, line: PhoneNumber) -> None:
    for _ in range(60):
        make_call(line, caller_number="+4930901820")
        make_archived(line, caller_number="+4930901820")
    for url in (CALLS, ARCHIVED):
        with CaptureQueriesContext(connection) as queries:
            page(back_office, f"{url}?q=%2B49&line=pn_bakery&first=2019-01-01")
        assert len([q for q in queries if " FROM " in q["sql"]]) <= 15
