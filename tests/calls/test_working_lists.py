"""What staff do with the lists of calls: narrow them, change many rows, take them along."""

import csv
import io
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice import bulk, exporting
from backoffice.exporting import cell, text_of_cell
from calls.models import Call, CallMetadata, CallReview
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.factories import archive, hold, make_call, make_line

CALLS = "/admin/calls/call/"
ARCHIVED = "/admin/calls/callarchive/"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


WHY: dict[str, Any] = {"case": "2026/17", "reason": "a court's order"}


def act(client: Client, action: str, calls: list[Call] | None = None, **sent: Any) -> Any:
    """Post an action for these calls, or for the whole list that `query` filters."""
    query = sent.pop("query", "")
    with all_tenants("test"):
        keys = [c.pk for c in calls] if calls else [Call.objects.all()[0].pk]
    chosen = {"_selected_action": [str(key) for key in keys], "action": action}
    across = {} if calls else {"select_across": "1"}
    return client.post(f"{CALLS}?{query}", chosen | across | sent)


def tags_of(call: Call) -> list[str] | None:
    with all_tenants("test"):
        row = CallMetadata.objects.filter(call_id=call.pk).first()
        return row.tags if row else None


def held() -> set[Any]:
    with all_tenants("test"):
        return set(Call.objects.filter(legal_hold=True).values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("longer=60", {"minute", "hour"}),
        ("shorter=60", {"short", "minute"}),
        ("longer=59&shorter=61", {"minute"}),
        (f"longer={10**30}", set()),
        ("hold=yes", {"hour"}),
        ("hold=perhaps", set()),
    ],
)
@pytest.mark.parametrize("archived", [False, True])
def test_filters_are_the_same_live_and_archived(
    back_office: Client, line: PhoneNumber, query: str, names: set[str], archived: bool
) -> None:
    calls = {
        "short": make_call(line, duration=5),
        "minute": make_call(line, duration=60),
        "hour": make_call(line, duration=3600),
    }
    if archived:
        for call in calls.values():
            archive(call)
    hold(calls["hour"])
    rows = listed(back_office, f"{ARCHIVED if archived else CALLS}?{query}").result_list
    assert {row.pk for row in rows} == {calls[name].pk for name in names}


def test_an_impossible_duration_says_so(back_office: Client, line: PhoneNumber) -> None:
    make_call(line)
    page = back_office.get(f"{CALLS}?longer=9&shorter=8").content.decode()
    assert "Duration: the minimum is above the maximum." in page


def test_the_way_to_the_archive_carries_the_filters_along(
    back_office: Client, line: PhoneNumber
) -> None:
    response: Any = back_office.get(f"{CALLS}?longer=60&status=failed&line=pn_bakery")
    assert (
        response.context_data["other_list"] == f"{ARCHIVED}?longer=60&status=failed&line=pn_bakery"
    )
    response = back_office.get(f"{CALLS}?longer=60&status=live")
    assert response.context_data["other_list"] == f"{ARCHIVED}?longer=60"
    assert f'href="{CALLS}?longer=60"' in back_office.get(f"{ARCHIVED}?longer=60").content.decode()


def test_an_action_shows_count_and_sample_and_changes_nothing_yet(
    back_office: Client, line: PhoneNumber
) -> None:
    calls = [make_call(line, caller_number=f"+1415555{n:04}") for n in range(12)]
    page = act(back_office, "hold", calls).content.decode()
    assert "12 calls" in page
    assert "First 10 rows" in page
    assert page.count("<li>+1415555") == 10
    assert ">Put under legal hold (12)</button>" in page
    assert held() == set()
    act(back_office, "hold", calls, post="yes", **WHY)
    assert held() == {call.pk for call in calls}


def test_an_action_on_the_whole_list_reaches_what_its_filters_show_alone(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber, monkeypatch: Any
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 3)
    ours = [make_call(line, status="failed") for _ in range(8)]
    make_call(line)
    make_call(other_line, status="failed")
    act(back_office, "hold", query="status=failed&line=pn_bakery", post="yes", **WHY)
    assert held() == {call.pk for call in ours}


def test_an_action_in_a_picked_line_reaches_no_other(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    ours, theirs = make_call(line), make_call(other_line)
    pick(back_office, line)
    for action in ("hold", "mark_reviewed"):
        act(back_office, action, [ours, theirs], post="yes", **WHY)
    act(back_office, "add_tag", [ours, theirs], post="yes", tag="vip")
    assert held() == {ours.pk}
    assert tags_of(theirs) is None
    with all_tenants("test"):
        assert CallReview.objects.get().call_id == ours.pk


def test_too_many_rows_are_refused(
    back_office: Client, line: PhoneNumber, monkeypatch: Any
) -> None:
    monkeypatch.setattr(bulk, "CAP", 2)
    for _ in range(3):
        make_call(line)
    response = act(back_office, "hold", post="yes")
    page = back_office.get(response.url).content.decode()
    assert "Action not run: the list has more than 2 rows." in page
    assert held() == set()


def test_an_action_that_changed_nothing_is_a_warning(
    back_office: Client, line: PhoneNumber
) -> None:
    response = act(back_office, "release", [make_call(line)], post="yes", **WHY)
    shown: Any = back_office.get(response.url)
    [message] = shown.context["messages"]
    assert (message.level_tag, message.message) == (
        "warning",
        "0 calls released from legal hold. Unchanged: 1.",
    )


def test_tags_are_added_once_and_removed(back_office: Client, line: PhoneNumber) -> None:
    bare, tagged = make_call(line), make_call(line, metadata={"tags": ["new", "vip"]})
    response = act(back_office, "add_tag", [bare, tagged], post="yes", tag="vip")
    assert "Tag added to 1 call. Unchanged: 1." in back_office.get(response.url).content.decode()
    assert (tags_of(bare), tags_of(tagged)) == (["vip"], ["new", "vip"])
    act(back_office, "remove_tag", [bare, tagged], post="yes", tag="vip")
    assert (tags_of(bare), tags_of(tagged)) == ([], ["new"])


def test_an_empty_tag_is_asked_for_again(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line)
    page = act(back_office, "add_tag", [call], post="yes", tag=" ").content.decode()
    assert "This field is required." in page
    assert tags_of(call) is None


def test_a_hold_is_released(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line, legal_hold=True)
    act(back_office, "release", [call], post="yes", **WHY)
    assert held() == set()


@pytest.mark.parametrize("action", ["hold", "release", "mark_reviewed", "add_tag", "export_calls"])
def test_an_action_wants_its_right(
    support_agent: User, line: PhoneNumber, client: Client, action: str
) -> None:
    support_agent.user_permissions.set(
        Permission.objects.filter(codename__in=["view_call", "change_call"])
    )
    client.force_login(support_agent)
    call = make_call(line)
    act(client, action, [call], post="yes", tag="vip", **WHY)
    assert held() == set()
    assert tags_of(call) is None
    with all_tenants("test"):
        assert not CallReview.objects.exists()
    assert not LogEntry.objects.exists()


def test_the_form_of_a_call_holds_to_the_right_too(
    support_agent: User, line: PhoneNumber, client: Client
) -> None:
    support_agent.user_permissions.set(
        Permission.objects.filter(codename__in=["view_call", "change_call"])
    )
    client.force_login(support_agent)
    assert (
        'name="legal_hold"'
        not in client.get(f"{CALLS}{make_call(line).pk}/change/").content.decode()
    )


def exported(response: Any) -> list[list[str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")  # else Excel takes another encoding
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_an_export_has_the_rows_of_the_list_in_its_order(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber, monkeypatch: Any
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 2)
    calls = [make_call(line, created_at=NOON + timedelta(minutes=n // 2)) for n in range(7)]
    make_call(other_line, created_at=NOON)
    make_call(line, status="failed")
    asked = act(back_office, "export_calls", query="status=completed&line=pn_bakery")
    assert "7 calls" in asked.content.decode()
    response = act(
        back_office, "export_calls", query="status=completed&line=pn_bakery", post="yes"
    )
    head, *rows = exported(response)
    ordered = sorted(calls, key=lambda call: (call.created_at, call.pk), reverse=True)
    assert [row[head.index("call_sid")] for row in rows] == [call.call_sid for call in ordered]


def test_an_export_in_a_picked_line_has_no_row_of_another(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    ours, theirs = make_call(line), make_call(other_line)
    pick(back_office, line)
    text = str(exported(act(back_office, "export_calls", post="yes")))
    assert ours.call_sid in text
    assert theirs.call_sid not in text


def test_archived_calls_are_exported(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line)
    archive(call)
    chosen = {"_selected_action": str(call.pk), "action": "export_calls", "post": "yes"}
    [_, row] = exported(back_office.post(ARCHIVED, chosen))
    assert call.call_sid in row


@pytest.mark.parametrize(
    "begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_a_cell_is_no_formula(begin: str) -> None:
    assert cell(f"{begin}cmd()") == f"'{begin}cmd()"
    assert cell(f"{begin}1+1") == f"'{begin}1+1"
    assert cell(f"a{begin}b") == f"a{begin}b"
    assert text_of_cell(cell(f"{begin}cmd()")) == f"{begin}cmd()"


@pytest.mark.parametrize(
    "text", ["+14155550101", "", "-", "'", "'=1", "'quoted'", "+", "+1 415", "+1+1", "''="]
)
def test_what_a_cell_held_can_be_read_again(text: str) -> None:
    assert text_of_cell(cell(text)) == text
    assert cell("+14155550101") == "+14155550101"


def test_a_nasty_summary_is_text_in_the_file(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line, ai_summary='=HYPERLINK("http://x","y")\n"quoted", and, commas')
    [head, row] = exported(act(back_office, "export_calls", [call], post="yes"))
    assert row[head.index("ai_summary")] == f"'{call.ai_summary}"


def test_an_export_has_all_that_is_known_of_a_call(back_office: Client) -> None:
    line = make_line(timezone="America/New_York")
    make_call(
        line,
        created_at=datetime(2026, 7, 1, 3, 30, 15, 250000, tzinfo=UTC),
        caller_number="+4930901820",
        recording_url="https://example.com/r.mp3",
        transcript="Hello.\nGood bye.",
        metadata={"tags": ["vip", "a,b;c", "=x"]},
    )
    boxes: list[tuple[dict[str, Any], str | None]] = [
        ({}, None),
        ({"transcript": "on"}, "Hello.\nGood bye."),
    ]
    for form, known in boxes:
        head, row = exported(act(back_office, "export_calls", post="yes", **form))
        call = dict(zip(head, row, strict=True))
        assert call["caller_number"] == "+4930901820"
        assert call["created_at"] == "2026-07-01T03:30:15.250000+00:00"
        assert call["local_time"] == "2026-06-30 23:30:15"
        assert call["timezone"] == "America/New_York"
        assert json.loads(call["tags"]) == ["vip", "a,b;c", "=x"]
        assert call["recording_url"] == "https://example.com/r.mp3"
        assert call.get("transcript") == known
    entries = LogEntry.objects.values_list("object_repr", flat=True)
    assert entries.first() == "1 call exported, with transcript"


def test_an_export_reads_a_batch_at_a_time(
    back_office: Client, line: PhoneNumber, monkeypatch: Any
) -> None:
    """However many rows: as many in memory as one batch has."""
    monkeypatch.setattr(exporting, "BATCH", 5)
    for _ in range(12):
        make_call(line)
    response = act(back_office, "export_calls", post="yes")
    chunks = iter(response.streaming_content)
    with CaptureQueriesContext(connection) as queries:
        next(chunks)
        rows = next(chunks)
    assert len(rows.decode().splitlines()) == 5
    assert len(queries) == 1


def test_an_export_is_on_record_without_what_was_searched_for(
    back_office: Client, line: PhoneNumber, superuser: User, caplog: pytest.LogCaptureFixture
) -> None:
    make_call(line, caller_number="+14155557777")
    with caplog.at_level(logging.INFO, "replytics.audit"):
        act(back_office, "export_calls", query="q=%2B14155557777&longer=1", post="yes")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr) == (superuser, "1 call exported")
    assert entry.change_message == "of all lines, q=...&longer=1"
    assert "1 call exported" in caplog.text
    assert "5557777" not in caplog.text


def test_a_link_to_a_call_leads_to_wherever_it_is_now(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    call = make_call(line)
    live, archived = f"{CALLS}{call.pk}/change/", f"{ARCHIVED}{call.pk}/change/"
    assert back_office.get(archived).headers["Location"] == live
    archive(call)
    assert back_office.get(live).headers["Location"] == archived
    pick(back_office, other_line)
    for link in (live, archived):
        assert back_office.get(link).headers["Location"] == "/admin/"
