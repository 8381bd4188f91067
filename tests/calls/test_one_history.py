"""Live and archived calls are one history to whoever searches one of the two lists."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calls.admin.calls import CallArchiveAdmin, other_list
from calls.models import Call
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.calls.archive import query
from tests.factories import archive, make_call

CALLS = "/admin/calls/call/"
ARCHIVED = "/admin/calls/callarchive/"
SID = "CA0123456789abcdef0123456789abcdef"
LONG_AGO = datetime(2020, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_list, "COUNT_LIMIT", 30)


def make_archived(line: PhoneNumber, **fields: Any) -> Call:
    call = make_call(line, **{"created_at": LONG_AGO, **fields})
    archive(call)
    return call


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("how", ["call_sid", "caller_number", "id"])
def test_a_search_of_live_calls_says_that_an_archived_one_matches(
    back_office: Client, line: PhoneNumber, how: str
) -> None:
    call = make_archived(line, call_sid=SID, caller_number="+4930901820")
    make_archived(line)
    term = str(getattr(call, how)).replace("+", "%2B")
    link = f"{ARCHIVED}?q={term}"
    assert f'<a href="{link}">Archived: 1 matches</a>' in page(back_office, f"{CALLS}?q={term}")
    assert [row.pk for row in listed(back_office, link).result_list] == [call.pk]


def test_a_search_of_archived_calls_says_that_live_ones_match(
    back_office: Client, line: PhoneNumber
) -> None:
    for _ in range(2):
        make_call(line, caller_number="+4930901820")
    assert "Live: 2 match</a>" in page(back_office, f"{ARCHIVED}?q=%2B4930901820")
    assert "Live: none match</a>" in page(back_office, f"{ARCHIVED}?q=%2B4930901821")


def test_the_count_ends_at_its_cap(
    back_office: Client, line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_list, "MAX_COUNT", 3)
    for _ in range(3):
        make_archived(line)
    assert "Archived: 3 match</a>" in page(back_office, f"{CALLS}?line=pn_bakery")
    make_archived(line)
    assert "Archived: more than 3 match</a>" in page(back_office, f"{CALLS}?line=pn_bakery")


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ("tag=vip", "1 matches"),
        ("longer=60", "2 match"),
        ("first=2020-01-01&last=2020-01-31", "3 match"),
        ("created_at__year=2020", "3 match"),
        ("created_at__year=2021", "none match"),
        ("hold=yes", "none match"),
    ],
)
def test_filters_count_as_the_search_does(
    back_office: Client, line: PhoneNumber, asked: str, said: str
) -> None:
    for duration, tag in ((5, "new"), (60, "vip"), (90, "new")):
        call = make_archived(line, duration=duration)
        query("UPDATE calls_archive SET tags = ARRAY[%s] WHERE id = %s", [tag, call.pk])
    assert f"Archived: {said}</a>" in page(back_office, f"{CALLS}?{asked}")


@pytest.mark.parametrize("selection", ["", "?o=-0", "?status=live"])
def test_nothing_is_counted_where_nothing_is_looked_for(
    back_office: Client, line: PhoneNumber, asked: str
) -> None:
    make_archived(line)
    with CaptureQueriesContext(connection) as queries:
        assert ">Archived</a>" in page(back_office, f"{CALLS}{asked}")
    assert not [q for q in queries if "calls_archive" in q["sql"]]


def test_a_filter_that_makes_no_sense_complains_once(
    back_office: Client, line: PhoneNumber
) -> None:
    html = page(back_office, f"{CALLS}?longer=9&shorter=8")
    assert html.count("the least is more than the most") == 1
    assert ">Archived</a>" in html


def test_a_count_that_takes_too_long_says_so(
    back_office: Client, line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_call(line, caller_number="+4930901820")
    make_archived(line)
    monkeypatch.setattr(other_list, "COUNT_LIMIT", 0.05)
    # Whichever way they are joined, the row meets itself, and so the sleep.
    slow = RawSQL("SELECT id FROM calls_archive WHERE pg_sleep(1) IS NOT NULL", ())
    monkeypatch.setattr(CallArchiveAdmin, "search", lambda self, term: Q(pk__in=slow))
    html = page(back_office, f"{CALLS}?q=%2B4930901820")
    assert "Archived: may match, too many to look through</a>" in html
    assert "+4930901820" in html


def test_inside_a_line_no_other_line_counts(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_archived(line, caller_number="+4930901820")
    make_archived(other_line, caller_number="+4930901820")
    assert "Archived: 2 match" in page(back_office, f"{CALLS}?q=%2B4930901820")
    pick(back_office, line)
    assert "Archived: 1 matches" in page(back_office, f"{CALLS}?q=%2B4930901820")


def test_who_may_not_see_the_archive_hears_nothing_of_it(
    client: Client, line: PhoneNumber
) -> None:
    make_archived(line, call_sid=SID)
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_call"))
    client.force_login(user)
    html = page(client, f"{CALLS}?q={SID}")
    assert "Archived" not in html


def test_both_lists_take_few_queries(back_office: Client, line: PhoneNumber) -> None:
    for _ in range(60):
        make_call(line, caller_number="+4930901820")
        make_archived(line, caller_number="+4930901820")
    for url in (CALLS, ARCHIVED):
        with CaptureQueriesContext(connection) as queries:
            page(back_office, f"{url}?q=%2B49&line=pn_bakery&first=2019-01-01")
        assert len([q for q in queries if " FROM " in q["sql"]]) <= 15
