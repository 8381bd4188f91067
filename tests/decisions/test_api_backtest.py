"""Backtests over the API: drafts are checked, calls counted and listed, and nothing is written."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from decisions.api import backtest
from tenancy import all_tenants, tenant
from tenants.models import BusinessHours, ConversationRule, PhoneNumber, SpecialDay
from tests.api_client import Api, api_of
from tests.factories import archive, keep_decision, make_call

NOON = datetime(2026, 5, 4, 10, tzinfo=UTC)  # a Monday, 12:00 in Berlin
RULES, HOURS = "/conversation-rules/backtest/", "/business-hours/backtest/"
SPAN = {"since": "2026-05-04", "until": "2026-05-11"}
SALES = {"rule_type": "routing", "actions": {"department": "sales"}}
SERVICE = {"rule_type": "routing", "actions": {"department": "service"}}
MONDAY = {
    "day_of_week": 1,
    "open_time": "09:00",
    "close_time": "17:00",
    "timezone": "Europe/Berlin",
}


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    with tenant(line.pk):
        PhoneNumber.objects.update(timezone="Europe/Berlin")
        BusinessHours.objects.create(phone=line, **MONDAY)
        ConversationRule.objects.create(phone=line, **SALES)
    return api_of(line, "read")


def stored_rules(line: PhoneNumber) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = api_of(line).get("/conversation-rules/").json()["results"]
    return listed


def calls(line: PhoneNumber, number: int, **columns: Any) -> list[Any]:
    return [
        make_call(line, created_at=NOON + timedelta(minutes=n), **columns) for n in range(number)
    ]


def test_draft_of_rules(line: PhoneNumber, api: Api) -> None:
    first, second, third = calls(line, 3)
    make_call(line, created_at=NOON - timedelta(days=9))  # before the range
    keep_decision(line, second.call_sid, at=NOON, facts='{"urgency": "high"}')
    keep_decision(line, third.call_sid, at=NOON, facts='{"urgency": "low"}')
    [stored] = stored_rules(line)
    urgent = SERVICE | {"conditions": {"urgency": "high"}, "priority": 1}
    answer = api.post(RULES, SPAN | {"rules": [stored, urgent]}).json()
    assert answer["counts"] == {
        "total": 3,
        "would_change": 1,
        "cannot_be_told": 1,
        "sentence": "1 of 3 would change, 1 cannot be told",
        "by_kind": [
            {"kind": "another_rule_wins", "rule_type": "routing", "calls": 1},
            {"kind": "cannot_be_told", "rule_type": "routing", "calls": 1},
        ],
        "is_complete": True,
        "oldest": "2026-05-04T10:00:00.000000Z",
    }
    assert (answer["since"], answer["until"]) == (
        "2026-05-03T22:00:00.000000Z",
        "2026-05-10T22:00:00.000000Z",
    )
    changed, unknown = answer["results"]
    assert (changed["call_id"], changed["result"]) == (str(second.pk), "would_change")
    [difference] = changed["differences"]
    assert difference["before"]["winner"] == stored["id"]
    assert difference["after"]["winner"] == "00000000-0000-0000-0000-000000000002"
    assert difference["after"]["sentence"].startswith("Route to service because")
    assert (unknown["call_id"], unknown["result"]) == (str(first.pk), "cannot_be_told")
    [difference] = unknown["differences"]
    assert difference["after"]["pending"][0]["waits_for"] == ["urgency"]
    assert answer["next"] is None
    assert answer["conflicts"] == []


def test_drafts_of_hours(line: PhoneNumber, api: Api) -> None:
    make_call(line, created_at=NOON)
    with tenant(line.pk):
        SpecialDay.objects.create(phone=line, date="2026-05-11", is_closed=True)
    [stored] = api.get("/business-hours/").json()["results"]
    shorter = stored | {"close_time": "11:00:00"}
    evening = {"day_of_week": 1, "open_time": "18:00", "close_time": "19:00"}
    drafts: list[tuple[dict[str, Any], int]] = [
        ({"business_hours": [stored]}, 0),
        ({"business_hours": [shorter]}, 1),
        ({"business_hours": []}, 1),
        ({"business_hours_intervals": [evening]}, 0),
        ({"special_days": [{"date": "2026-05-04", "is_closed": True}]}, 1),
        ({"special_days": []}, 0),
        ({}, 0),
    ]
    for draft, change in drafts:
        answer = api.post(HOURS, SPAN | draft).json()
        assert answer["counts"]["would_change"] == change, draft
    [difference] = api.post(HOURS, SPAN | {"business_hours": [shorter]}).json()["results"][0][
        "differences"
    ]
    assert (difference["kind"], difference["rule_type"]) == ("became_closed", None)
    assert difference["why"] == (
        "Before: Monday, 09:00 to 17:00. After: outside of Monday, 09:00 to 11:00."
    )


def test_conflicts_of_the_draft(line: PhoneNumber, api: Api) -> None:
    [stored] = stored_rules(line)
    never = SERVICE | {"conditions": {"urgency": "high"}, "priority": -1}
    answer = api.post(RULES, SPAN | {"rules": [stored, never]}).json()
    [conflict] = answer["conflicts"]
    assert conflict["code"] == "never_wins"
    assert conflict["rules"] == ["00000000-0000-0000-0000-000000000002", stored["id"]]
    answer = api.post(HOURS, {"special_days": [{"date": "2026-12-24"}], "business_hours": []})
    assert [each["code"] for each in answer.json()["conflicts"]] == ["special_days_only"]


def test_pages_have_no_gap_and_no_double(
    line: PhoneNumber, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an answer compares fewer calls than there are."""
    made = calls(line, 9)
    for call in made[::2]:
        archive(call)
    keep_decision(line, made[5].call_sid, at=NOON, facts='{"urgency": "low"}')
    urgent = SERVICE | {"conditions": {"urgency": "high"}, "priority": 1}
    draft = SPAN | {"rules": [urgent, *stored_rules(line)]}
    expected = [str(call.pk) for call in reversed(made) if call is not made[5]]
    for limit, most in [(50, 20_000), (3, 20_000), (3, 4), (50, 2), (1, 1)]:
        monkeypatch.setattr(backtest, "MAX_CALLS", most)
        answer = api.post(RULES, draft | {"limit": limit}).json()
        assert answer["counts"]["total"] == min(9, most)
        assert answer["counts"]["is_complete"] is (most > 9)
        found = [result["call_id"] for result in answer["results"]]
        while answer["next"]:
            body = draft | {"limit": limit, "cursor": answer["next"]}
            answer = api.post(RULES, body).json()
            assert answer["counts"] is answer["conflicts"] is None
            assert len(answer["results"]) <= limit
            found += [result["call_id"] for result in answer["results"]]
        assert found == expected


def test_cursor_belongs_to_its_draft_and_settings(line: PhoneNumber, api: Api) -> None:
    calls(line, 2)
    body = SPAN | {"rules": [], "limit": 1}
    cursor = api.post(RULES, body).json()["next"]
    assert api.post(RULES, body | {"cursor": cursor}).status_code == 200
    for other in (SPAN | {"rules": [SERVICE]}, body | {"until": "2026-05-12"}):
        refused = api.post(RULES, other | {"cursor": cursor})
        assert refused.json()["errors"][0]["pointer"] == "#/cursor"
    assert api.post(RULES, body | {"cursor": cursor[:-1]}).status_code == 400
    with tenant(line.pk):
        ConversationRule.objects.create(phone=line, **SERVICE)
    assert api.post(RULES, body | {"cursor": cursor}).status_code == 400


def lines_of(response: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def test_stream_compares_all_calls(
    line: PhoneNumber, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls(line, 5)
    monkeypatch.setattr(backtest, "MAX_CALLS", 2)
    monkeypatch.setattr(backtest, "CHUNK", 2)
    body = SPAN | {"rules": [], "limit": 3}
    response = api.post(RULES, body, headers={"Accept": "application/x-ndjson"})
    assert response["Content-Type"] == "application/x-ndjson"
    *progress, _, _, _, summary = lines_of(response)
    assert progress == [{"type": "progress", "calls": count} for count in (2, 4, 5)]
    assert summary["counts"]["sentence"] == "5 of 5 would change, 0 cannot be told"
    assert summary["counts"]["is_complete"] is True
    assert summary["conflicts"] == []
    following = api.post(RULES, body | {"cursor": summary["next"]}).json()["results"]
    assert len(following) == 2
    refused = api.post(
        RULES,
        body | {"cursor": summary["next"]},
        headers={"Accept": "application/x-ndjson, application/problem+json"},
    )
    assert refused.status_code == 400


def test_stream_that_nobody_reads_stops(
    line: PhoneNumber,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    calls(line, 5)
    monkeypatch.setattr(backtest, "CHUNK", 2)
    response = api.post(RULES, SPAN | {"rules": []}, headers={"Accept": "application/x-ndjson"})
    chunks = iter(response.streaming_content)
    assert json.loads(next(chunks)) == {"type": "progress", "calls": 2}
    with django_assert_num_queries(0):
        response.close()
        assert list(chunks) == []


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (RULES, {}, "#/rules"),
        (RULES, {"rules": [SALES, {"rule_type": "routing", "actions": {}}]}, "#/rules/1/actions"),
        (RULES, {"rules": [SALES | {"conditions": {"moon": 1}}]}, "#/rules/0/conditions"),
        (
            RULES,
            {"rules": [{"rule_type": "transfer", "actions": {"transfer_to": "nobody"}}]},
            "#/rules/0/actions/transfer_to",
        ),
        (
            RULES,
            {"rules": [SALES | {"id": "00000000-0000-4000-8000-000000000001"}]},
            "#/rules/0/id",
        ),
        (RULES, {"rules": [SALES | {"phone_id": "pn_garage"}]}, "#/rules/0/phone_id"),
        (RULES, {"rules": [], "since": "2026-05-04T10:00"}, "#/since"),
        (RULES, {"rules": [], "since": "2026-05-04", "until": "2026-05-04"}, "#/since"),
        (RULES, {"rules": [], "since": "2020-05-04", "until": "2026-05-04"}, "#/since"),
        (RULES, {"rules": [], "until": "0001-01-01T00:00:00Z"}, "#/until"),
        (RULES, {"rules": [], "limit": 0}, "#/limit"),
        (RULES, {"rules": [], "cursor": "?"}, "#/cursor"),
        (HOURS, {"business_hours": [MONDAY, MONDAY]}, "#/business_hours/1/day_of_week"),
        (HOURS, {"business_hours": [MONDAY | {"open_time": "9"}]}, "#/business_hours/0/open_time"),
        (
            HOURS,
            {
                "business_hours_intervals": [
                    {"day_of_week": 1, "open_time": "16:00", "close_time": "18:00"}
                ]
            },
            "#/business_hours_intervals",
        ),
        (
            HOURS,
            {
                "business_hours_intervals": [
                    {"day_of_week": 2, "open_time": "16:00", "close_time": "16:00"}
                ]
            },
            "#/business_hours_intervals/0/close_time",
        ),
        (
            HOURS,
            {"special_days": [{"date": "2026-12-24"}, {"date": "2026-12-24"}]},
            "#/special_days/1/date",
        ),
        (
            HOURS,
            {
                "special_days": [
                    {
                        "date": "2026-12-24",
                        "intervals": [
                            {"open_time": "09:00", "close_time": "12:00"},
                            {"open_time": "11:00", "close_time": "13:00"},
                        ],
                    }
                ]
            },
            "#/special_days/0/intervals",
        ),
    ],
)
def test_wrong_draft_is_pointed_at(api: Api, path: str, body: Any, pointer: str) -> None:
    response = api.post(path, body)
    assert response.status_code == 400, response.content
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_repeated_rows_are_refused(line: PhoneNumber, api: Api) -> None:
    [stored] = stored_rules(line)
    response = api.post(RULES, {"rules": [stored, stored]})
    assert response.json()["errors"][0]["pointer"] == "#/rules/1/id"


def test_rows_of_another_line_are_nobodys(
    line: PhoneNumber, other_line: PhoneNumber, api: Api
) -> None:
    """And its calls are not counted."""
    calls(other_line, 2)
    with tenant(other_line.pk):
        rule = ConversationRule.objects.create(phone=other_line, **SALES)
        day = BusinessHours.objects.create(phone=other_line, **MONDAY)
    unknown = "00000000-0000-4000-8000-000000000001"
    drafts: list[tuple[str, dict[str, Any], str, Any]] = [
        (RULES, SALES, "rules", rule.pk),
        (HOURS, MONDAY, "business_hours", day.pk),
    ]
    for path, row, table, theirs in drafts:
        answers = [
            api.post(path, {table: [row | {"id": pk}]}).json() for pk in (str(theirs), unknown)
        ]
        assert answers[0] == answers[1]
        assert answers[0]["errors"][0]["pointer"] == f"#/{table}/0/id"
    assert api.post(RULES, SPAN | {"rules": []}).json()["counts"]["total"] == 0


def test_nothing_is_written(line: PhoneNumber, api: Api) -> None:
    made = calls(line, 3)
    archive(made[0])
    keep_decision(line, made[1].call_sid)
    tables = [
        *("calls", "calls_archive", "call_decisions", "conversation_rules", "business_hours"),
        *("special_days", "decision_settings", "call_metadata", "phone_numbers"),
    ]

    def rows() -> list[Any]:
        with all_tenants("test"), connection.cursor() as cursor:
            found = []
            for table in tables:
                cursor.execute(f"SELECT xmin::text, ctid::text FROM {table} ORDER BY 2")
                found.append((table, cursor.fetchall()))
            return found

    before = rows()
    draft = SPAN | {"rules": [SERVICE], "limit": 1}
    assert api.post(RULES, draft).json()["counts"]["would_change"] == 3
    assert api.post(HOURS, SPAN | {"business_hours": []}).status_code == 200
    assert lines_of(api.post(RULES, draft, headers={"Accept": "application/x-ndjson"}))
    assert rows() == before


def test_it_takes_a_key_that_reads(line: PhoneNumber, api: Api) -> None:
    assert api_of(line, "ingest").post(RULES, {"rules": []}).status_code == 403
