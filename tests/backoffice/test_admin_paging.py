"""Lists that go from page to page by the place of a row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.test import Client

from backoffice import paging
from backoffice.counting import RowCount
from calls.admin.calls import CallAdmin
from tenancy import all_tenants
from tenants.models import ConversationRule, PhoneNumber
from tests.admin_client import listed
from tests.factories import make_call

CALLS = "/admin/calls/call/"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def calls(line: PhoneNumber, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """11 calls, of which the first page's end and the second's beginning share a moment."""
    monkeypatch.setattr(CallAdmin, "list_per_page", 3)
    monkeypatch.setattr(paging, "COUNT_LIMIT", 30)
    moments = [NOON] * 5 + [NOON - timedelta(seconds=n) for n in range(1, 7)]
    made = [make_call(line, created_at=moment) for moment in moments]
    return sorted((call.created_at, call.pk) for call in made)[::-1]


def walk(client: Client, query: str, step: str) -> list[Any]:
    """Rows of all pages, from the page of the query on by "next_page" or "previous_page"."""
    seen: list[Any] = []
    while query is not None:
        shown = listed(client, CALLS + query)
        rows = [(row.created_at, row.pk) for row in shown.result_list]
        assert 0 < len(rows) <= 3
        seen = seen + rows if step == "next_page" else rows + seen
        query = getattr(shown, step)
    return seen


def test_no_row_is_lost_or_doubled_forward(back_office: Client, calls: list[Any]) -> None:
    assert walk(back_office, "", "next_page") == calls


def test_no_row_is_lost_or_doubled_backward(back_office: Client, calls: list[Any]) -> None:
    last = listed(back_office, CALLS).last_page
    assert walk(back_office, last, "previous_page") == calls


def test_the_list_turned_round_pages_too(back_office: Client, calls: list[Any]) -> None:
    column = list(CallAdmin.list_display).index("began") + 1
    assert walk(back_office, f"?o={column}", "next_page") == calls[::-1]


def test_other_columns_do_not_order(back_office: Client, calls: list[Any]) -> None:
    for column in (0, 2, 3, 99):
        rows = listed(back_office, f"{CALLS}?o={column}").result_list
        assert [row.pk for row in rows] == [key for _, key in calls[:3]]


def test_rows_deleted_meanwhile_do_not_shift_a_page(back_office: Client, calls: list[Any]) -> None:
    first = listed(back_office, CALLS)
    with all_tenants("test"):
        first.model.objects.filter(pk=calls[2][1]).delete()
    second = listed(back_office, CALLS + first.next_page)
    assert [row.pk for row in second.result_list] == [key for _, key in calls[3:6]]


def test_mixed_directions_page_without_loss(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber, monkeypatch: Any
) -> None:
    monkeypatch.setattr("tenants.admin.ConversationRuleAdmin.list_per_page", 2)
    with all_tenants("test"):
        for owner in (line, other_line):
            for priority in (5, 5, 5, 1, 9):
                ConversationRule.objects.create(
                    phone=owner, rule_type="hours", actions={"say": "Hi"}, priority=priority
                )
        wanted = list(
            ConversationRule.objects.order_by("phone_id", "-priority", "id").values_list(
                "pk", flat=True
            )
        )
    seen: list[Any] = []
    query: str | None = ""
    while query is not None:
        shown = listed(back_office, f"/admin/tenants/conversationrule/{query}")
        seen += [row.pk for row in shown.result_list]
        query = shown.next_page
    assert seen == wanted


def test_filters_and_pages_go_together(back_office: Client, calls: list[Any]) -> None:
    shown = listed(back_office, f"{CALLS}?status=completed")
    assert "status=completed" in shown.next_page
    assert "after" not in listed(back_office, CALLS + shown.next_page).first_page


@pytest.mark.parametrize("place", ["x", "WzFd", "bm90IGpzb24=", "WyJ4IiwgInkiXQ==", "é"])
def test_a_place_that_is_none_leads_to_the_first_page(
    back_office: Client, calls: list[Any], place: str
) -> None:
    response = back_office.get(CALLS, {"after": place})
    assert (response.status_code, response.headers["Location"]) == (302, f"{CALLS}?e=1")
    assert back_office.get(f"{CALLS}?e=1").status_code == 200


def test_a_short_list_is_counted_exactly(back_office: Client, calls: list[Any]) -> None:
    assert "11 calls" in back_office.get(CALLS).content.decode()


def test_a_short_list_is_counted_in_a_table_that_was_long(
    back_office: Client, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "estimate", lambda queryset: 1_234_567)
    assert "11 calls" in back_office.get(CALLS).content.decode()


def test_a_long_list_says_that_its_count_is_an_estimate(
    back_office: Client, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "CAP", 10)
    monkeypatch.setattr(paging, "estimate", lambda queryset: 1_234_567)
    html = back_office.get(CALLS).content.decode()
    assert "about 1.2 M calls" in html
    assert 'class="question' not in html  # "Select all 1,234,567 calls"


def test_a_list_that_takes_too_long_says_what_to_do(
    back_office: Client, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "TIME_LIMIT", 0.05)
    slow = RawSQL("SELECT id FROM calls WHERE pg_sleep(1) IS NOT NULL", ())
    monkeypatch.setattr(CallAdmin, "search", lambda self, term: Q(pk__in=slow))
    response = back_office.get(f"{CALLS}?q=slow")
    assert response.status_code == 200
    assert "search timed out" in response.content.decode()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (RowCount(0), "0"),
        (RowCount(9_999), "9,999"),
        (RowCount(10_000, "more than"), "more than 10,000"),
        (RowCount(12_345, "about"), "about 12,000"),
        (RowCount(999_999, "about"), "about 1 M"),
        (RowCount(1_234_567, "about"), "about 1.2 M"),
        (RowCount(56_789_012, "about"), "about 57 M"),
    ],
)
def test_counts_read_as_they_are_known(count: RowCount, text: str) -> None:
    assert str(count) == text
