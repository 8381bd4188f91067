"""How calls ended: each value from stored rows, live and archived, wherever it is shown."""

import csv
import itertools
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, NamedTuple

import pytest
from django.test import Client
from psycopg.types.json import Jsonb
from pytest_django import Settings

from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from calls.intake.stuck import end_stuck_calls
from calls.legs import RESULTS
from calls.models import Call, CallArchive
from calls.outcomes import CallOutcome, EndedBy, sentence_of, that_ended, with_outcomes
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of, make_key
from tests.calls.archive import UNBOUNDED, query
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event
from tests.factories import make_call

# Of one moment, so that a page's order is that of ids.
AT = datetime(2023, 6, 10, 12, tzinfo=UTC)
MESSAGE = {"message_taken": True}
FEW = ["busy", "ended_by_us", "not_known"]
ONLY_IDS = {"fields": "id", "total": "exact", "limit": 100}


# Both rules on rows that are not stored.
RULES = """
SELECT app.call_outcome(status, word, seconds, nullif(metadata, 'null'), legs),
    app.call_ended_by(word, nullif(metadata, 'null'))
FROM ROWS FROM (jsonb_to_recordset(%s) AS
    (status text, word text, seconds integer, metadata jsonb, legs text[]))
    WITH ORDINALITY AS r (status, word, seconds, metadata, legs, n) ORDER BY n
"""


class Case(NamedTuple):
    """Status, the provider's word, seconds, words of legs, metadata; outcome, who ended it."""

    status: str
    word: str | None
    seconds: int
    legs: tuple[str, ...]
    metadata: dict[str, Any] | None
    outcome: str
    ended_by: str | None = None


CASES = [
    Case("ringing", "ringing", 0, (), None, "in_progress"),
    Case("answered", None, 0, ("completed",), MESSAGE, "in_progress"),
    Case("completed", "completed", 11, (), None, "answered_by_ai"),
    Case("completed", None, 300, (), {"ended_by": "us"}, "answered_by_ai", "us"),
    Case("completed", "completed", 60, (), {"ended_by": "nobody"}, "answered_by_ai"),
    Case("completed", "completed", 60, ("completed",), None, "transferred_answered"),
    Case(
        *("completed", "completed", 60, ("busy", "in-progress")),
        {**MESSAGE, "ended_by": "transfer_target"},
        *("transferred_answered", "transfer_target"),
    ),
    Case("completed", "timed-out", 0, ("answered",), None, "transferred_answered", "us"),
    Case("completed", "completed", 5, ("no-answer", "busy"), None, "transferred_not_answered"),
    Case("failed", "no-answer", 0, ("canceled",), {}, "transferred_not_answered"),
    Case("completed", "timed-out", 0, ("failed",), None, "transferred_not_answered", "us"),
    Case("completed", "completed", 60, (), MESSAGE, "message_taken"),
    Case("completed", "completed", 60, ("no-answer",), MESSAGE, "message_taken"),
    Case(
        "failed", "no-answer", 0, (), {**MESSAGE, "ended_by": "caller"}, "message_taken", "caller"
    ),
    Case("completed", "completed", 60, (), {"message_taken": "yes"}, "answered_by_ai"),
    Case("failed", "canceled", 0, (), None, "hung_up_before_answer", "caller"),
    Case("failed", "no-answer", 0, (), None, "hung_up_before_answer"),
    # The line called, and we gave up.
    Case(
        *("failed", "canceled", 0, (), {"direction": "outbound-api"}),
        *("ended_by_us", "us"),
    ),
    Case("completed", "completed", 10, (), None, "hung_up_within_10_s"),
    Case(
        *("completed", "completed", 0, (), {"ended_by": "caller"}),
        *("hung_up_within_10_s", "caller"),
    ),
    Case("failed", "busy", 0, (), None, "busy"),
    Case("failed", "busy", 0, (), {"ended_by": "us"}, "busy", "us"),
    Case("failed", "failed", 0, (), None, "failed_at_provider", "provider"),
    Case("completed", "timed-out", 0, (), None, "ended_by_us", "us"),
    Case("failed", "timed-out", 0, ("ringing",), None, "ended_by_us", "us"),
    Case("completed", "completed", 4, (), {"ended_by": "us"}, "ended_by_us", "us"),
    Case("failed", "no-answer", 0, (), {"ended_by": "us"}, "ended_by_us", "us"),
    Case("failed", None, 0, (), None, "not_known"),
    Case("failed", "odd", 0, (), {"ended_by": "provider"}, "not_known", "provider"),
    Case("completed", "completed", 60, ("busy", "ringing"), None, "not_known"),
]


def who_ended(case: Case) -> str | None:
    facts = case.metadata or {}
    if facts.get("ended_by") in EndedBy.values:
        return str(facts["ended_by"])
    called = str(facts.get("direction")).startswith("out")
    canceled = "us" if called else "caller"
    return {"timed-out": "us", "failed": "provider", "canceled": canceled}.get(case.word or "")


def read(case: Case) -> str:
    """The outcome by a plain reading of the rows."""
    results = [RESULTS.get(word) for word in case.legs]
    if case.status in ("ringing", "answered"):
        return "in_progress"
    if "answered" in results:
        return "transferred_answered"
    if (case.metadata or {}).get("message_taken") is True:
        return "message_taken"
    if results and None not in results:
        return "transferred_not_answered"
    if case.word == "timed-out":
        return "ended_by_us"
    if results:
        return "not_known"
    if case.status == "completed":
        short = "ended_by_us" if who_ended(case) == "us" else "hung_up_within_10_s"
        return "answered_by_ai" if case.seconds > 10 else short
    words = {"busy": "busy", "failed": "failed_at_provider"}
    if case.word in words:
        return words[case.word]
    if who_ended(case) == "us":
        return "ended_by_us"
    return "hung_up_before_answer" if case.word in ("no-answer", "canceled") else "not_known"


def make(line: PhoneNumber, case: Case, **overrides: Any) -> Call:
    call = make_call(
        line,
        **{
            "status": case.status,
            "provider_status": case.word,
            "duration": case.seconds,
            "created_at": AT,
            "metadata": None if case.metadata is None else {"metadata": case.metadata},
            **overrides,
        },
    )
    for n, word in enumerate(case.legs):
        query(
            "INSERT INTO call_legs (phone_id, call_sid, leg_sid, status) VALUES (%s, %s, %s, %s)",
            [line.pk, call.call_sid, f"{call.call_sid}{n}", word],
        )
    return call


@pytest.fixture
def calls(line: PhoneNumber) -> dict[str, Case]:
    """Each case by the id of its call."""
    return {str(make(line, case).pk): case for case in CASES}


def expected(calls: dict[str, Case]) -> dict[str, tuple[str, str | None]]:
    return {key: (case.outcome, case.ended_by) for key, case in calls.items()}


def ended(model: Any) -> dict[str, tuple[str, str | None]]:
    rows = with_outcomes(model.objects.all()).values_list("pk", "outcome", "ended_by")
    return {str(key): (outcome, who) for key, outcome, who in rows}


def test_the_cases_are_what_a_plain_reading_finds_and_have_every_value() -> None:
    assert [case.outcome for case in CASES] == [read(case) for case in CASES]
    assert {case.outcome for case in CASES} == set(CallOutcome.values)
    assert {case.ended_by for case in CASES} == {None, *EndedBy.values}


def test_rule_is_the_plain_reading_of_whatever_rows_there_are(db: None) -> None:
    statuses = ("ringing", "answered", "completed", "failed")
    words = (None, "completed", "busy", "no-answer", "canceled", "failed", "timed-out")
    legs = ((), ("completed",), ("answered", "queued"), ("busy", "no-answer"), ("failed", "odd"))
    facts: tuple[dict[str, Any] | None, ...] = (
        *(None, {}, MESSAGE, {"ended_by": "us"}, {"ended_by": "caller", "direction": "outbound"}),
        *({"direction": "outgoing-call"}, {"direction": "inbound", "message_taken": "true"}),
    )
    cases = [
        Case(status, word, seconds, words_of_legs, metadata, "")
        for status, word, seconds, words_of_legs, metadata in itertools.product(
            statuses, words, (0, 10, 11), legs, facts
        )
    ]
    rows = [case._asdict() for case in cases]
    found = query(RULES, [Jsonb(rows)])
    assert found == [(read(case), who_ended(case)) for case in cases]


def test_outcome_stays_through_the_archive_and_back(
    line: PhoneNumber, calls: dict[str, Case]
) -> None:
    query(UNBOUNDED)
    with all_tenants("test"):
        assert ended(Call) == expected(calls)
        assert query("SELECT c.id::text, c.outcome FROM calls AS c ORDER BY 1") == sorted(
            (key, case.outcome) for key, case in calls.items()
        )
    live = {key: row for key, row in expected(calls).items() if row[0] == "in_progress"}
    archived = {key: row for key, row in expected(calls).items() if key not in live}
    archive_calls(cut_off=AT + timedelta(days=1), started_by="test")
    with all_tenants("test"):
        assert (ended(Call), ended(CallArchive)) == (live, archived)
        assert dict(query("SELECT c.id::text, c.archived_outcome FROM calls_archive AS c")) == {
            key: outcome for key, (outcome, _) in archived.items()
        }
    period = Choice(phone_id=line.pk, since=AT, until=AT + timedelta(days=1))
    restore_calls(period, started_by="test")
    with all_tenants("test"):
        assert ended(Call) == expected(calls)


def found(api: Api, **parameters: Any) -> list[str]:
    ids, cursor = [], None
    while True:
        page = api.get("/calls/", parameters | ({"cursor": cursor} if cursor else {})).json()
        ids += [row["id"] for row in page["results"]]
        if not (cursor := page["next"]):
            return ids


@pytest.mark.parametrize("archived", ["exclude", "only"])
def test_api_shows_and_filters_outcomes(
    line: PhoneNumber, other_line: PhoneNumber, calls: dict[str, Case], archived: str
) -> None:
    for case in CASES:
        make(other_line, case)
    api = api_of(line)
    if archived == "only":
        query(UNBOUNDED)
        archive_calls(cut_off=AT + timedelta(days=1), started_by="test")
        calls = {key: case for key, case in calls.items() if case.outcome != "in_progress"}
    rows = api.get("/calls/", {"archived": archived, "limit": 100}).json()["results"]
    assert {row["id"]: (row["outcome"], row["ended_by"]) for row in rows} == expected(calls)
    for row in rows:
        assert row["outcome_sentence"] == sentence_of(
            row["outcome"], ended_by=row["ended_by"], provider_status=row["provider_status"]
        )
    assert all(api.get(f"/calls/{row['id']}/").json().items() >= row.items() for row in rows[:3])
    for value in CallOutcome.values:
        page = api.get("/calls/", ONLY_IDS | {"outcome": value, "archived": archived}).json()
        of_it = [key for key in sorted(calls, reverse=True) if calls[key].outcome == value]
        assert [row["id"] for row in page["results"]] == of_it
        assert page["total"] == {"count": len(of_it), "exact": True}
    of_few = sorted(key for key, case in calls.items() if case.outcome in FEW)
    few = {"outcome": FEW, "archived": archived, "limit": 4}
    assert found(api, **few) == of_few[::-1]
    assert found(api, order="created_at", **few) == of_few
    failed = found(api, status="failed", outcome="ended_by_us", archived=archived)
    assert [calls[key].word for key in sorted(failed)] == [
        case.word
        for key, case in sorted(calls.items())
        if (case.status, case.outcome) == ("failed", "ended_by_us")
    ]


def dialed(word: str) -> dict[str, str]:
    return {"DialCallSid": new_sid(), "DialCallStatus": word, "DialCallDuration": "14"}


@pytest.mark.parametrize(
    ("events", "outcome", "ended_by"),
    [
        ([("ringing", {})], "in_progress", None),
        ([("completed", {"CallDuration": "42"})], "answered_by_ai", None),
        ([("completed", {"CallDuration": "3"})], "hung_up_within_10_s", None),
        (
            [("in-progress", dialed("completed")), ("completed", {"CallDuration": "42"})],
            *("transferred_answered", None),
        ),
        (
            [("in-progress", dialed("no-answer")), ("completed", {"CallDuration": "42"})],
            *("transferred_not_answered", None),
        ),
        ([("cancelled", {})], "hung_up_before_answer", "caller"),
        ([("no-answer", {})], "hung_up_before_answer", None),
        ([("busy", {})], "busy", None),
        ([("failed", {})], "failed_at_provider", "provider"),
    ],
)
def test_callbacks_make_outcomes(
    line: PhoneNumber,
    settings: Settings,
    events: list[tuple[str, dict[str, str]]],
    outcome: str,
    ended_by: str | None,
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    sid = new_sid()
    for status, values in events:
        assert post(voice_event(sid, status, **values)).status_code == 204
    [row] = api_of(line).get("/calls/").json()["results"]
    assert (row["outcome"], row["ended_by"]) == (outcome, ended_by)


def test_pipeline_reports_a_message_and_who_hung_up(line: PhoneNumber, settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    api = Api(f"Api-Key {make_key(line, 'read', 'ingest')}")
    said = [{"message_taken": True}, {"ended_by": "us"}]
    for facts, outcome in zip(said, ("message_taken", "ended_by_us"), strict=True):
        sid = new_sid()
        body = api.request("PUT", f"/calls/by-sid/{sid}/", {"metadata": facts}).json()
        assert api.get(f"/calls/{body['id']}/").json()["outcome"] == "in_progress"
        post(voice_event(sid, "completed", CallDuration="5"))
        assert api.get(f"/calls/{body['id']}/").json()["outcome"] == outcome


def test_a_call_whose_end_was_never_reported(line: PhoneNumber) -> None:
    call = make_call(line, status="answered", duration=0, created_at=AT)
    end_stuck_calls(now=AT + timedelta(days=1))
    row = api_of(line).get(f"/calls/{call.pk}/").json()
    assert (row["outcome"], row["ended_by"]) == ("ended_by_us", "us")
    assert row["outcome_sentence"] == "No end of the call was reported, so we closed it."


def test_legs_of_another_line_are_none_of_the_call(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    call = make_call(line)
    query(
        "INSERT INTO call_legs (phone_id, call_sid, leg_sid, status) VALUES (%s, %s, 'x', 'busy')",
        [other_line.pk, call.call_sid],
    )
    with all_tenants("test"):
        assert ended(Call) == {str(call.pk): ("answered_by_ai", None)}
        assert query("SELECT c.outcome FROM calls AS c") == [("answered_by_ai",)]
        assert not that_ended(Call.objects.all(), CallOutcome.TRANSFERRED_NOT_ANSWERED).exists()


@pytest.mark.parametrize("name", ["call", "callarchive"])
def test_admin_shows_filters_and_exports_outcomes(
    back_office: Client, line: PhoneNumber, calls: dict[str, Case], name: str
) -> None:
    if name == "callarchive":
        query(UNBOUNDED)
        archive_calls(cut_off=AT + timedelta(days=1), started_by="test")
        calls = {key: case for key, case in calls.items() if case.outcome != "in_progress"}
    address = f"/admin/calls/{name}/"
    for value in {case.outcome for case in calls.values()}:
        shown = back_office.get(address, {"outcome": value}).context["cl"].result_list
        of_it = [key for key in sorted(calls, reverse=True) if calls[key].outcome == value]
        assert [str(call.pk) for call in shown] == of_it
    # Of a call that failed there, with who ended it.
    page = back_office.get(f"{address}{of('failed_at_provider', calls)}/change/").content.decode()
    assert "The telephony provider could not connect the call." in page
    assert "Ended by: provider." in page
    sent = {"action": "export_calls", "_selected_action": list(calls), "post": "yes"}
    answer: Any = back_office.post(address, sent)
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    found = [(row["outcome"], row["ended_by"] or None) for row in csv.DictReader(StringIO(text))]
    assert sorted(found, key=str) == sorted(expected(calls).values(), key=str)


def of(outcome: str, calls: dict[str, Case]) -> str:
    return next(key for key, case in calls.items() if case.outcome == outcome)
