"""The lists of calls narrowed by what was said, beside their other filters."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from backoffice import paging
from calls.models import Call
from calls.search import words
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.factories import archive, make_call

CALLS = "/admin/calls/call/"
ARCHIVED = "/admin/calls/callarchive/"


@pytest.fixture(params=[words.MAX_IDS, 1], ids=["few", "many"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Both ways to find them: named one by one, or met as the list is read."""
    most: int = request.param
    monkeypatch.setattr(words, "MAX_IDS", most)
    return most


@pytest.fixture
def calls(line: PhoneNumber, other_line: PhoneNumber) -> dict[str, Call]:
    return {
        "loaves": make_call(line, transcript="Caller: Two loaves, please.", duration=5),
        "rolls": make_call(line, ai_summary="Wants loaves and rolls.", duration=90),
        "refund": make_call(other_line, transcript="A refund for the loaves!", duration=90),
        "nothing": make_call(line, transcript="Hello?"),
        "silent": make_call(line),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("words=loaves", {"loaves", "rolls", "refund"}),
        ("words=LOAVES rolls", {"rolls"}),
        ("words=loaves -refund", {"loaves", "rolls"}),
        ('words="two loaves"', {"loaves"}),
        ("words=rolls or refund", {"rolls", "refund"}),
        ("words=loaves&longer=60", {"rolls", "refund"}),
        ("words=zzzzzz", set()),
        ("words=", {"loaves", "rolls", "refund", "nothing", "silent"}),
        ("words=%00", set()),
        ("words='\"%26|!():*<->", set()),
    ],
)
@pytest.mark.parametrize("archived", [False, True])
def test_calls_are_found_by_what_was_said(
    back_office: Client,
    calls: dict[str, Call],
    few: int,
    query: str,
    names: set[str],
    archived: bool,
) -> None:
    if archived:
        for call in calls.values():
            archive(call)
    rows = listed(back_office, f"{ARCHIVED if archived else CALLS}?{query}").result_list
    assert {row.pk for row in rows} == {calls[name].pk for name in names}


@pytest.mark.parametrize("archived", [False, True])
def test_inside_a_line_nothing_that_another_one_said_is_found(
    back_office: Client, line: PhoneNumber, calls: dict[str, Call], few: int, archived: bool
) -> None:
    if archived:
        for call in calls.values():
            archive(call)
    pick(back_office, line)
    url = ARCHIVED if archived else CALLS
    rows = listed(back_office, f"{url}?words=loaves").result_list
    assert {row.pk for row in rows} == {calls["loaves"].pk, calls["rolls"].pk}
    assert listed(back_office, f"{url}?words=refund").result_list == []


def test_what_cannot_be_counted_is_not_guessed(
    back_office: Client, calls: dict[str, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "MAX_IDS", 1)
    monkeypatch.setattr(paging, "CAP", 1)
    monkeypatch.setattr(paging, "COUNT_LIMIT", 30)
    monkeypatch.setattr("calls.admin.calls.CallAdmin.list_per_page", 1)
    assert str(listed(back_office, f"{CALLS}?words=loaves").row_count) == "more than 1"

    def too_slow(*_: Any) -> None:
        raise paging.TooSlow

    monkeypatch.setattr(paging, "count_up_to", too_slow)
    page = back_office.get(f"{CALLS}?words=loaves").content.decode()
    assert "Too many to count" in page


def test_words_that_take_too_long_say_so(
    back_office: Client, calls: dict[str, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "OVER_ALL_LINES", "SELECT pg_sleep(3), %(words)s, %(max_ids)s")
    monkeypatch.setattr("calls.admin.filters.TIME_LIMIT", 0.05)
    page = back_office.get(f"{CALLS}?words=loaves").content.decode()
    assert "What was said: the search timed out." in page


def test_a_search_that_finds_nothing_leads_to_what_was_said(
    back_office: Client, calls: dict[str, Call]
) -> None:
    page = back_office.get(f"{CALLS}?q=loaves").content.decode()
    assert 'href="?words=loaves"' in page
    assert "search the transcripts" in page


def test_the_filters_in_use_are_shown_and_each_can_be_left(
    back_office: Client, line: PhoneNumber, calls: dict[str, Call]
) -> None:
    shown = listed(back_office, f"{CALLS}?words=loaves&status=completed&longer=5&line={line.pk}")
    descriptions = {each["title"]: each["description"] for each in shown.active_filters}
    assert descriptions == {
        "Line": str(line),
        "Status": "Completed",
        "What was said": "loaves",
        "Duration": "At least (seconds) 5",
    }
    [without] = [f["remove_link"] for f in shown.active_filters if f["title"] == "Status"]
    assert "status" not in without
    assert "words=loaves" in without
    assert listed(back_office, CALLS).active_filters == []


def test_what_was_looked_for_is_not_on_record(back_office: Client, calls: dict[str, Call]) -> None:
    with all_tenants("test"):
        sent = {"_selected_action": [str(calls["loaves"].pk)], "select_across": "1"}
    sent |= {"action": "export_calls", "post": "yes"}
    back_office.post(f"{CALLS}?words=loaves", sent)
    assert "loaves" not in LogEntry.objects.get().change_message
