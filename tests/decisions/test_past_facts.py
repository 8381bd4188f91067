"""The facts of past calls: what was kept of a call, and nothing that was not known."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from calls.claims import claimed_sid
from calls.models import Call, SealedMonth
from decisions import past_facts
from decisions.comparison import PastCall
from decisions.past_facts import past_calls, words_of_caller
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.factories import archive, keep_decision, make_call

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ANNA, BERT = "+14155550111", "+14155550112"
TALK = "AI: Hello, how can I help?\nCaller: A table, please.\nFor two.\nAI: When?\nCaller: Now."
SEAL = """
INSERT INTO sealed_months (phone_id, since, until, calls) VALUES (%s, %s, %s, 1)
"""


def read(line: PhoneNumber, **options: Any) -> list[PastCall]:
    span = {"since": NOON - 30 * DAY, "until": NOON + DAY}
    with tenant(line.pk):
        return [*past_calls(line.pk, **span | options)]


def facts(line: PhoneNumber, *names: str) -> list[dict[str, Any]]:
    """Of the line's calls, oldest first."""
    return [dict(call.facts) for call in reversed(read(line, facts=names))]


def test_moment_and_caller(line: PhoneNumber) -> None:
    numbers = [ANNA, "anonymous", "unknown", "client:bob"]
    calls = [
        make_call(line, created_at=NOON + n * timedelta(minutes=1), caller_number=number)
        for n, number in enumerate(numbers)
    ]
    found = read(line)[::-1]
    assert [(call.id, call.created_at, call.moment) for call in found] == [
        (call.pk, call.created_at, call.created_at) for call in calls
    ]
    assert [call.facts.get("caller", "?") for call in found] == [ANNA, None, "?", "client:bob"]


def test_words_are_the_callers_where_the_transcript_names_speakers(line: PhoneNumber) -> None:
    for minute, transcript in enumerate([TALK, "Somebody called about a table.", "", None]):
        moment = NOON + timedelta(minutes=minute)
        make_call(line, created_at=moment, transcript=transcript, caller_number="unknown")
    assert facts(line, "said") == [{"said": "A table, please.\nFor two.\nNow."}, {}, {}, {}]
    assert facts(line) == [{}] * 4
    assert words_of_caller("AI: Hello?") == ""


@pytest.mark.parametrize("archived", [False, True], ids=["live", "archived"])
def test_metadata_has_facts_that_the_vocabulary_allows(line: PhoneNumber, archived: bool) -> None:
    known = {"intent": "book", "language": "de-DE", "sentiment": "negative", "urgency": "high"}
    refused = [
        {"intent": " ", "language": "German", "sentiment": "angry", "urgency": "HIGH"},
        {"intent": 5, "language": ["de"], "sentiment": True, "urgency": None},
        {},
    ]
    for minute, metadata in enumerate([known, *refused]):
        call = make_call(
            line,
            created_at=NOON + timedelta(minutes=minute),
            caller_number="unknown",
            metadata={"metadata": metadata, "custom_fields": {"urgency": "low"}},
        )
        if archived:
            archive(call)
    make_call(line, created_at=NOON + DAY / 2, caller_number="unknown")
    assert facts(line, *known) == [known, {}, {}, {}, {}]
    assert facts(line, "urgency") == [{"urgency": "high"}, {}, {}, {}, {}]


def test_first_time_is_told_from_the_whole_history(line: PhoneNumber) -> None:
    """Before the range, and in the archive; but not from another line's calls."""
    archive(make_call(line, created_at=NOON - 300 * DAY, caller_number=BERT))
    for number in (ANNA, BERT, ANNA, "anonymous", "unknown"):
        made = Call.objects
        with all_tenants("test"):
            minutes = made.count()
        make_call(line, created_at=NOON + timedelta(minutes=minutes), caller_number=number)
    named = [call.get("first_time_caller") for call in facts(line, "first_time_caller")]
    assert named == [True, False, False, None, None]


def test_first_time_is_not_known_after_calls_were_dropped(line: PhoneNumber) -> None:
    make_call(line, created_at=NOON - 3 * DAY, caller_number=ANNA)
    make_call(line, created_at=NOON, caller_number=ANNA)
    make_call(line, created_at=NOON, caller_number=BERT)
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(SEAL, [line.pk, NOON - 2 * DAY, NOON - DAY])
        assert SealedMonth.objects.exists()
    found = facts(line, "first_time_caller")
    by_caller = [(call["caller"], call.get("first_time_caller")) for call in found]
    assert sorted(by_caller, key=str) == [(ANNA, False), (ANNA, True), (BERT, None)]


@pytest.mark.parametrize("archived", [False, True], ids=["live", "archived"])
def test_last_decision_that_was_kept_replaces_what_the_call_tells(
    line: PhoneNumber, archived: bool
) -> None:
    call = make_call(
        line,
        created_at=NOON,
        transcript=TALK,
        call_sid=claimed_sid("CA1", line.pk),
        metadata={"metadata": {"intent": "book"}},
    )
    for second, known in enumerate([{"said": "A"}, {"caller": None, "said": "A table"}], 1):
        at, facts = NOON + timedelta(seconds=second), json.dumps(known)
        assert keep_decision(line, "CA1", at=at, facts=facts) == "kept"
    if archived:
        archive(call)
    [found] = read(line)
    assert (found.created_at, found.moment) == (NOON, NOON + timedelta(seconds=2))
    assert found.facts == {"caller": None, "said": "A table"}


def test_live_and_archived_calls_come_in_one_order(
    line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, without a gap or a double, also where calls began at one moment."""
    calls = [make_call(line, created_at=NOON + DAY * (n // 3) / 24) for n in range(11)]
    for call in calls[1::2]:
        archive(call)
    expected = sorted(((call.created_at, call.pk) for call in calls), reverse=True)
    for size in (1, 3, 11, 12):
        monkeypatch.setattr(past_facts, "PAGE_SIZE", size)
        assert [(call.created_at, call.id) for call in read(line)] == expected
        rest = [call.id for call in read(line, after=expected[4])]
        assert rest == [pk for _, pk in expected[5:]]


def test_range_has_its_beginning_and_not_its_end(line: PhoneNumber) -> None:
    first, _ = (make_call(line, created_at=NOON + n * DAY) for n in range(2))
    assert [call.id for call in read(line, since=NOON, until=NOON + DAY)] == [first.pk]


def test_only_the_lines_own_calls_are_read(line: PhoneNumber, other_line: PhoneNumber) -> None:
    make_call(other_line, created_at=NOON - DAY, caller_number=ANNA)
    make_call(line, created_at=NOON, caller_number=ANNA)
    assert facts(line, "first_time_caller") == [{"caller": ANNA, "first_time_caller": True}]
    with tenant(line.pk):
        assert [*past_calls(other_line.pk, since=NOON - 30 * DAY, until=NOON + DAY)] == []


def test_reading_stops_when_nobody_reads_on(
    line: PhoneNumber, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(past_facts, "PAGE_SIZE", 2)
    for minute in range(6):
        make_call(line, created_at=NOON + timedelta(minutes=minute))
    with tenant(line.pk), django_assert_num_queries(1):
        reading = past_calls(line.pk, since=NOON, until=NOON + DAY, facts=())
        assert isinstance(next(reading).id, UUID)
        reading.close()
