"""The list of calls: filters, cursors, order, fields, totals, the archive."""

import json
import re
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calls.api.page import page_sql
from calls.api.query import read_query
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.api_client import Api, api_of
from tests.factories import archive, make_call, make_line

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line)


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [call["call_sid"] for call in response.json()["results"]]


def walk(api: Api, **query: Any) -> list[str]:
    found: list[str] = []
    while True:
        page = api.get("/calls/", query)
        found += names(page)
        if page.json()["next"] is None:
            return found
        query["cursor"] = page.json()["next"]


@pytest.mark.parametrize("order", ["-created_at", "created_at"])
def test_pages_join_without_gap_or_repeat(
    api: Api, line: PhoneNumber, other_line: PhoneNumber, order: str
) -> None:
    for n in range(11):
        make_call(line, call_sid=f"c{n:02}", created_at=NOON + timedelta(hours=n // 4))
        make_call(other_line)
    whole = names(api.get("/calls/", {"order": order, "limit": 200}))
    assert len(whole) == 11
    hours = [int(sid[1:]) // 4 for sid in whole]
    assert hours == sorted(hours, reverse=order == "-created_at")
    for limit in (1, 2, 3, 4, 10, 11):
        assert walk(api, order=order, limit=limit) == whole


def test_calls_that_arrive_meanwhile_do_not_shift_pages(api: Api, line: PhoneNumber) -> None:
    for n in range(4):
        make_call(line, call_sid=f"c{n}", created_at=NOON + timedelta(hours=n))
    first = api.get("/calls/", {"limit": 2})
    make_call(line, call_sid="new", created_at=NOON + timedelta(hours=9))
    second = api.get("/calls/", {"limit": 2, "cursor": first.json()["next"]})
    assert names(first) + names(second) == ["c3", "c2", "c1", "c0"]


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"status": "failed"}, ["busy"]),
    ({"status": ["failed", "ringing"]}, ["rings", "busy"]),
    ({"created_after": "2026-03-10T13:00:00Z"}, ["rings", "busy"]),
    ({"created_before": "2026-03-10T14:00:00+01:00"}, ["booked"]),
    ({"caller": "+14155550001"}, ["booked"]),
    ({"caller_prefix": "+1415"}, ["busy", "booked"]),
    ({"caller_prefix": "+1415%"}, []),
    ({"duration_min": 1}, ["booked"]),
    ({"duration_max": 0}, ["busy"]),
    ({"confidence_min": 0.5, "confidence_max": 0.5}, ["busy"]),
    ({"has_recording": "true"}, ["booked"]),
    ({"has_recording": "false"}, ["rings", "busy"]),
    ({"tags": ["vip", "new"]}, ["booked"]),
    ({"tags": "vip", "status": "failed"}, ["busy"]),
    ({"tags_any": ["new", "none"]}, ["booked"]),
    ({"metadata": '{"intent":"booking"}'}, ["booked"]),
    ({"custom_fields": '{"order":{"id":7}}'}, ["booked"]),
    ({"q": "rye bread"}, ["booked"]),
    ({"q": '"bread rye"'}, []),
    ({"q": "rye", "caller_prefix": "+49"}, []),
    ({"status": "completed", "tags": "vip", "q": "rye", "duration_min": 60}, ["booked"]),
]


@pytest.fixture
def three(line: PhoneNumber, other_line: PhoneNumber) -> None:
    for owner in (line, other_line):
        mine = "" if owner is line else "other-"
        make_call(
            owner,
            call_sid=f"{mine}booked",
            created_at=NOON,
            caller_number="+14155550001",
            duration=60,
            recording_url="https://api.twilio.com/1",
            transcript="Do you have rye bread?",
            metadata={
                "metadata": {"intent": "booking", "x": [1]},
                "tags": ["vip", "new"],
                "custom_fields": {"order": {"id": 7, "y": None}},
            },
        )
        make_call(
            owner,
            call_sid=f"{mine}busy",
            created_at=NOON + timedelta(hours=1),
            caller_number="+14155550002",
            status="failed",
            duration=0,
            ai_confidence="0.5",
            metadata={"tags": ["vip"]},
        )
        make_call(
            owner,
            call_sid=f"{mine}rings",
            created_at=NOON + timedelta(hours=2),
            caller_number="+4930123456",
            status="ringing",
            duration=0,
        )


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_filters(api: Api, three: None, query: dict[str, Any], expected: list[str]) -> None:
    assert names(api.get("/calls/", query)) == expected
    assert walk(api, limit=1, **query) == expected
    assert names(api.get("/calls/", query | {"order": "created_at"})) == expected[::-1]
    total = api.get("/calls/", query | {"total": "exact"}).json()["total"]
    assert total == {"count": len(expected), "exact": True}


def test_words_are_shown_in_their_surroundings(api: Api, three: None) -> None:
    [call] = api.get("/calls/", {"q": "rye"}).json()["results"]
    assert "⟦rye⟧ bread" in call["highlights"]["transcript"]


def test_a_total_is_sent_on_request(api: Api, three: None) -> None:
    total = api.get("/calls/", {"total": "estimate"}).json()["total"]
    assert total == {"count": 3, "exact": True}
    assert "total" not in api.get("/calls/").json()


def test_fields_are_chosen(api: Api, three: None) -> None:
    [call, *_] = api.get("/calls/", {"fields": "status,id"}).json()["results"]
    assert list(call) == ["id", "status"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"cursor": "made-up"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"status": "lost"}, "status"),
        ({"status": ["failed", "lost"]}, "status"),
        ({"created_after": "yesterday"}, "created_after"),
        ({"created_after": "2026-13-01T00:00:00Z"}, "created_after"),
        ({"created_after": "2026-03-10T13:00:00"}, "created_after"),
        ({"created_before": "2026-02-30"}, "created_before"),
        ({"created_before": "20260228"}, "created_before"),
        ({"duration_min": -1}, "duration_min"),
        ({"duration_min": 2**31}, "duration_min"),
        ({"confidence_min": "nan"}, "confidence_min"),
        ({"confidence_max": 1.1}, "confidence_max"),
        ({"has_recording": "maybe"}, "has_recording"),
        ({"metadata": "intent"}, "metadata"),
        ({"metadata": "[1]"}, "metadata"),
        ({"metadata": "[" * 1900}, "metadata"),
        ({"metadata": '{"a":"\\u0000"}'}, "metadata"),
        ({"metadata": '{"a":NaN}'}, "metadata"),
        ({"fields": "id,secret"}, "fields"),
        ({"archived": "maybe"}, "archived"),
        ({"order": "duration"}, "order"),
        ({"total": "roughly"}, "total"),
        ({"caller": ["a", "b"]}, "caller"),
        ({"caller": "a\x00"}, "caller"),
        ({"phone_id": "pn_garage"}, "phone_id"),
    ],
)
def test_wrong_parameters_are_named(api: Api, query: dict[str, Any], parameter: str) -> None:
    response = api.get("/calls/", query)
    assert response.status_code == 400
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]


def test_a_cursor_fits_its_own_list_alone(
    api: Api, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    for owner in (line, line, other_line, other_line):
        make_call(owner, created_at=NOON)
    cursor = api.get("/calls/", {"limit": 1}).json()["next"]
    assert api.get("/calls/", {"limit": 2, "cursor": cursor}).status_code == 200
    elsewhere = [
        api.get("/calls/", {"status": "completed", "cursor": cursor}),
        api.get("/calls/", {"order": "created_at", "cursor": cursor}),
        api.get("/calls/", {"cursor": cursor[:-1]}),
        api_of(other_line).get("/calls/", {"cursor": cursor}),
    ]
    assert [answer.status_code for answer in elsewhere] == [400] * 4


def test_the_cursor_walks_on_into_the_archive(api: Api, line: PhoneNumber) -> None:
    for n in range(3):
        archive(make_call(line, call_sid=f"old{n}", created_at=NOON - timedelta(days=90 - n)))
    for n in range(3):
        make_call(line, call_sid=f"new{n}", created_at=NOON + timedelta(hours=n))
    new, old = ["new2", "new1", "new0"], ["old2", "old1", "old0"]
    for limit in (1, 2, 4, 200):
        assert walk(api, archived="include", limit=limit) == new + old
    assert walk(api, archived="only", limit=2) == old
    assert walk(api, limit=2) == new
    whole = api.get("/calls/", {"archived": "include"}).json()["results"]
    assert [call["archived"] for call in whole] == [False] * 3 + [True] * 3


def test_a_search_reaches_into_the_archive(
    api: Api, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    tagged = {"tags": ["vip"], "metadata": {"intent": "booking"}, "custom_fields": {"order": 7}}
    for n in range(12):
        call = make_call(
            line if n % 4 else other_line,
            call_sid=f"old{n}",
            created_at=NOON - timedelta(days=90 * n),
            transcript="rye" if n % 2 else "wheat",
            metadata=tagged if n % 3 else None,
        )
        if n >= 6:
            archive(call)
    found = {
        "q": ["old1", "old3", "old5", "old7", "old9", "old11"],
        "tags": ["old1", "old2", "old5", "old7", "old10", "old11"],
    }
    values: dict[str, dict[str, Any]] = {
        "q": {"q": "rye"},
        "tags": {"tags": "vip"},
        "tags_any": {"tags_any": ["vip", "new"]},
        "metadata": {"metadata": '{"intent": "booking"}'},
        "custom_fields": {"custom_fields": '{"order": 7}'},
    }
    for name, query in values.items():
        expected = found["q" if name == "q" else "tags"]
        for limit in (1, 4, 200):
            assert walk(api, archived="include", limit=limit, **query) == expected
            assert walk(api, archived="only", limit=limit, **query) == expected[3:]
        assert walk(api, archived="include", order="created_at", **query) == expected[::-1]
    both: dict[str, Any] = {"q": "rye", "tags": "vip", "archived": "include"}
    assert walk(api, **both) == ["old1", "old5", "old7", "old11"]
    assert walk(api, **both, status="failed") == []
    whole = api.get("/calls/", both | {"total": "exact"}).json()
    assert whole["total"]["count"] == 4
    assert whole["results"][-1]["highlights"]["transcript"] == "⟦rye⟧"
    assert walk(api_of(other_line), **both) == []


def test_one_statement_beside_credentials_and_rate_limit(api: Api, three: None) -> None:
    api.get("/calls/")  # notes the key's use
    searched = {"q": "rye", "archived": "include"}
    for query in ({}, {"status": "failed"}, {"q": "rye"}, {"archived": "include"}, searched):
        with CaptureQueriesContext(connection) as captured:
            assert api.get("/calls/", query).status_code == 200
        assert len(captured) <= 3  # the list, its credentials and a lease of the rate limit


SEARCHES = {"tags", "tags_any", "metadata", "custom_fields", "q"}
CHEAP: list[dict[str, Any]] = [query for query, _ in FILTERS if not SEARCHES & set(query)]


def plan_of(line: PhoneNumber, query: dict[str, Any], *, deep: bool = False) -> str:
    """How a page is read where what is not along an index is as dear as on a big table."""
    text = QueryDict(mutable=True)
    for name, value in query.items():
        text.setlist(name, value if isinstance(value, list) else [str(value)])
    archive(make_call(line, created_at=NOON))
    parsed, _, _ = read_query(text)
    values = {**parsed.values, "limit": 20, "line": line.pk, "playable": "x"}
    values |= {"at": NOON, "after_id": uuid.UUID(int=0)}
    listed = parsed.query_after_cursor if deep else parsed.query
    with tenant(line.pk), connection.cursor() as cursor:
        for kind in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            cursor.execute(f"SET LOCAL enable_{kind} = off")
        cursor.execute("EXPLAIN (FORMAT JSON) " + page_sql(listed), values)
        return json.dumps(cursor.fetchone()[0])


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("order", ["-created_at", "created_at"])
@pytest.mark.parametrize("query", [{}, *CHEAP, {"archived": "only"}])
def test_a_page_is_read_along_an_index(
    line: PhoneNumber, query: dict[str, Any], order: str, deep: bool
) -> None:
    plan = plan_of(line, query | {"order": order}, deep=deep)
    assert '"Seq Scan"' not in plan
    assert "Sort" not in plan
    # What the outcome of each shown call reads beside the call. There are no legs here, for which
    # any index is as good.
    facts = {"call_metadata_pkey", "call_legs_pkey", "idx_call_legs_target"}
    indexes = set(re.findall(r'"Index Name": "([^"]+)"', plan)) - facts
    if "archived" in query:
        assert all("phone_id_created_at_id" in name for name in indexes), indexes
    else:
        assert indexes <= {"idx_calls_phone_created", "idx_calls_phone_status_date"}
    assert indexes


def test_live_and_archived_calls_are_each_read_along_an_index(line: PhoneNumber) -> None:
    """What is sorted then is two pages, however many calls there are."""
    plan = json.loads(plan_of(line, {"archived": "include"}))
    assert '"Seq Scan"' not in json.dumps(plan)
    assert sorts_above_limits(plan[0]["Plan"])


def sorts_above_limits(node: dict[str, Any]) -> bool:
    """Whether nothing is sorted but what a LIMIT below has cut."""
    below = node.get("Plans", [])
    if node["Node Type"] == "Sort":
        text = json.dumps(below)
        return '"Limit"' in text and text.count('"Sort"') == 0
    return all(sorts_above_limits(child) for child in below)


@pytest.mark.parametrize("archived", ["exclude", "include"])
@pytest.mark.parametrize("clock", ["Asia/Kolkata", "America/Los_Angeles", "UTC"])
def test_a_day_is_that_of_the_lines_clock(db: None, archived: str, clock: str) -> None:
    line = make_line(timezone=clock)
    api = api_of(line)
    calls = [make_call(line, created_at=NOON + timedelta(minutes=30 * n)) for n in range(-60, 60)]
    if archived == "include":
        for call in calls[::3]:
            archive(call)
    query = {"created_after": "2026-03-10", "created_before": "2026-03-11", "archived": archived}
    found = walk(api, limit=50, **query)
    in_zone = [
        call for call in calls if f"{call.created_at.astimezone(ZoneInfo(clock)):%d}" == "10"
    ]
    assert found == [call.call_sid for call in reversed(in_zone)]
    by_day = api.get("/stats/daily/", {"first": "2026-03-10", "last": "2026-03-10"}).json()
    assert by_day["total"]["total_calls"] == len(in_zone)


@pytest.mark.parametrize(
    ("clock", "day"),
    [
        ("Atlantic/Azores", "2026-10-25"),  # back over midnight
        ("America/Havana", "2026-11-01"),
        ("America/Havana", "2026-03-08"),  # forward over midnight
        ("Europe/Berlin", "2026-10-25"),  # back at 3
        ("Australia/Lord_Howe", "2026-04-05"),
        ("Pacific/Apia", "2011-12-31"),  # the day before was left out
    ],
)
def test_a_day_begins_at_the_first_of_two_midnights(
    back_office: Client, clock: str, day: str
) -> None:
    line = make_line(timezone=clock)
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=ZoneInfo(clock)).astimezone(UTC)
    for n in range(-80, 80):
        make_call(line, created_at=noon + timedelta(minutes=30 * n))
    after = str(date.fromisoformat(day) + timedelta(days=1))
    api = api_of(line)
    by_day = api.get("/stats/daily/", {"first": day, "last": day}).json()["total"]["total_calls"]
    assert len(walk(api, limit=50, created_after=day, created_before=after)) == by_day
    pick(back_office, line)
    shown = listed(back_office, "/admin/calls/call/", {"first": day, "last": day})
    assert len(shown.result_list) == by_day


def test_a_plus_that_became_a_blank_is_a_plus(api: Api, three: None) -> None:
    """As curl and browsers send it where nobody escaped it."""
    answer = api.get("/calls/?created_before=2026-03-10T14:00:00+01:00")
    assert names(answer) == ["booked"]
