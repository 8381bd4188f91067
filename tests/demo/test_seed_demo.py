"""The demo data: the same for the same seed, valid, and like the calls of real businesses."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from calls.models import Call, CallLeg, CallMetadata, CallRecording
from demo import load
from demo.businesses import MAX_LINES
from demo.load import DemoDataRefused, seed_demo
from tenants.models import (
    BusinessHours,
    ConversationRule,
    PhoneNumber,
    RuleType,
    TransferPlace,
    VoiceSettings,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("staff_scope")]

UNTIL = datetime(2025, 11, 2, 20, tzinfo=UTC)
TABLES = [
    *("phone_numbers", "voice_settings", "conversation_rules", "business_hours"),
    *("business_hours_intervals", "special_days", "special_day_intervals", "transfer_places"),
    *("calls", "call_metadata", "call_legs", "call_recordings"),
    *("decision_settings", "call_decisions"),
]


def seed(**overrides: Any) -> load.SeedResult:
    arguments: dict[str, Any] = {
        "lines": 8,
        "calls": 1500,
        "days": 28,
        "seed": 7,
        "until": UNTIL,
    }
    return seed_demo(**arguments | overrides)


def fingerprint() -> list[str]:
    """A hash of each table's rows."""
    hashes = []
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT md5(string_agg(t::text, '/' ORDER BY t::text)) FROM {table} t")
            hashes.append(cursor.fetchone()[0])
    return hashes


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM phone_numbers")


def test_the_same_seed_writes_the_same_rows() -> None:
    seed()
    first = fingerprint()
    empty()
    seed()
    assert fingerprint() == first


def test_chunks_leave_no_trace_in_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seed()
    first = fingerprint()
    empty()
    monkeypatch.setattr(load, "CHUNK", 500)  # 1500 rows: the last chunk is full
    seed()
    assert fingerprint() == first


def test_another_seed_writes_other_rows() -> None:
    seed()
    first = fingerprint()
    empty()
    seed(seed=8)
    assert set(fingerprint()).isdisjoint(first)


def test_another_until_moves_the_calls() -> None:
    seed(until=UNTIL - timedelta(days=400))
    newest = Call.objects.latest("created_at").created_at
    assert UNTIL - timedelta(days=401) < newest < UNTIL - timedelta(days=400)


def test_counts_are_what_was_asked_for() -> None:
    reported: list[int] = []
    made = seed(lines=12, calls=1501, progress=reported.append)
    assert made.lines == PhoneNumber.objects.count() == VoiceSettings.objects.count() == 12
    assert made.calls == Call.objects.count() == sum(reported) == 1501
    assert made.metadata == CallMetadata.objects.count() > 1000
    assert BusinessHours.objects.count() == 7 * 12
    for rule_type in RuleType.values:
        assert ConversationRule.objects.filter(rule_type=rule_type).count() >= 12


def test_rules_transfer_to_a_place_of_their_line() -> None:
    seed(lines=12, calls=1)
    rules = ConversationRule.objects.filter(rule_type=RuleType.TRANSFER)
    assert [rule.actions["transfer_to"] for rule in rules.order_by("phone_id")] == list(
        TransferPlace.objects.order_by("phone_id").values_list("name", flat=True)
    )


def test_calls_are_transferred_to_the_place_of_their_line() -> None:
    seed(lines=4, calls=500)
    legs = CallLeg.objects.values_list("phone_id", "to").distinct()
    places = TransferPlace.objects.values_list("phone_id", "number")
    assert set(legs)
    assert set(legs) <= set(places)


def test_the_first_lines_have_the_documented_numbers() -> None:
    seed()
    zones = dict(PhoneNumber.objects.values_list("number", "timezone"))
    assert zones["+14155550100"] == "America/Los_Angeles"
    assert zones["+442071838750"] == "Europe/London"
    assert zones["+4930901820"] == "Europe/Berlin"


@pytest.mark.soak
def test_many_lines_have_numbers_of_their_own_that_nobody_calls_from() -> None:
    seed(lines=MAX_LINES, calls=20_000)
    numbers = set(PhoneNumber.objects.values_list("number", flat=True))
    assert len(numbers) == MAX_LINES
    assert numbers.isdisjoint(Call.objects.values_list("caller_number", flat=True))


def test_calls_lie_within_the_days_and_end_before_until() -> None:
    seed(days=1, calls=3000)
    assert not Call.objects.filter(created_at__lt=UNTIL - timedelta(days=1)).exists()
    assert not Call.objects.filter(updated_at__gt=UNTIL).exists()
    for call in Call.objects.filter(status="completed"):
        assert call.created_at + timedelta(seconds=call.duration) <= call.updated_at


def test_calls_are_stored_in_the_order_of_time() -> None:
    # What the BRIN index on created_at lives on.
    seed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT created_at FROM calls ORDER BY ctid")
        times = [row[0] for row in cursor.fetchall()]
    later = sum(after >= before for before, after in pairwise(times))
    assert later > 0.9 * len(times)


def test_business_hours_are_busier_than_the_night_on_the_clock_of_the_line() -> None:
    seed(calls=4000)
    day = night = weekday = sunday = 0
    for created_at, zone in Call.objects.values_list("created_at", "phone__timezone"):
        local = created_at.astimezone(ZoneInfo(zone))
        day += 10 <= local.hour < 16
        night += local.hour < 6
        weekday += local.weekday() == 2
        sunday += local.weekday() == 6
    assert day > 20 * night
    assert weekday > 2 * sunday


def test_a_few_calls_are_live_in_the_last_minutes() -> None:
    seed()
    live = Call.objects.filter(status__in=["ringing", "answered"])
    assert 2 <= live.count() <= 8
    assert set(live.values_list("status", flat=True)) == {"ringing", "answered"}
    assert not live.filter(created_at__lt=UNTIL - timedelta(minutes=5)).exists()
    assert not live.filter(duration__gt=0).exists()


def test_outcomes_and_the_provider_s_words() -> None:
    seed(calls=4000)
    counts = dict(Call.objects.values_list("provider_status").annotate(n=Count("*")).order_by())
    assert 0.82 < counts["completed"] / 4000 < 0.9
    assert set(counts) == {
        *("completed", "busy", "no-answer", "canceled", "failed", "ringing", "in-progress")
    }
    failed = Call.objects.filter(status="failed")
    assert not failed.exclude(duration=0, transcript=None, metadata=None).exists()


def test_few_lines_have_most_calls_and_callers_come_back() -> None:
    seed(lines=20, calls=4000)
    per_line = sorted(
        Call.objects.values_list("phone").annotate(n=Count("*")).values_list("n", flat=True)
    )
    assert sum(per_line[-5:]) > 2000
    callers = Call.objects.values("phone", "caller_number").distinct().count()
    assert callers < 3000
    assert Call.objects.filter(caller_number="anonymous").exists()
    assert Call.objects.filter(caller_number__startswith="client:").exists()
    assert Call.objects.filter(caller_number__startswith="sip:").exists()


def test_transfers_are_legs_and_may_have_a_recording_of_their_own() -> None:
    seed(calls=3000)
    results = dict(CallLeg.objects.values_list("status").annotate(n=Count("*")).order_by())
    assert set(results) == {"completed", "no-answer", "busy"}
    assert results["completed"] > 3 * results["no-answer"]
    calls = {call.call_sid: call for call in Call.objects.all()}
    lines = set(PhoneNumber.objects.values_list("number", flat=True))
    for leg in CallLeg.objects.all():
        call = calls[leg.call_sid]
        ended = call.updated_at
        assert leg.started_at
        assert leg.ended_at
        assert call.created_at < leg.started_at < leg.ended_at <= ended
        assert leg.to not in lines
        assert (leg.duration or 0) < call.duration
    of_calls: dict[str, list[CallRecording]] = {}
    for recording in CallRecording.objects.order_by("started"):
        of_calls.setdefault(recording.call_sid, []).append(recording)
    assert {len(recordings) for recordings in of_calls.values()} == {1, 2}
    for sid, call in calls.items():
        assert call.recording_url == (of_calls[sid][-1].url if sid in of_calls else None)


def test_summary_and_fields_fit_the_transcript() -> None:
    seed(calls=3000)
    booked = CallMetadata.objects.filter(metadata__intent="book").select_related("call")
    assert booked.count() > 500
    for row in booked:
        assert row.call.transcript.startswith("Agent: ")
        assert "\nCaller: " in row.call.transcript
        for word in ("day", "time", "service"):
            assert row.custom_fields[word] in row.call.transcript
            assert row.custom_fields[word] in row.call.ai_summary
        assert "{" not in row.call.transcript + row.call.ai_summary
    assert Call.objects.filter(phone__number="+4930901820", transcript__contains="Guten").exists()


def test_confidence_has_a_low_tail() -> None:
    seed(calls=4000)
    judged = Call.objects.filter(status="completed")
    low = judged.filter(ai_confidence__lt=0.65).count() / judged.count()
    high = judged.filter(ai_confidence__gt=0.8).count() / judged.count()
    assert 0.03 < low < 0.12
    assert high > 0.85
    assert CallMetadata.objects.filter(tags__contains=["needs-review"]).count() > 100


def test_a_database_with_lines_is_refused(line: PhoneNumber) -> None:
    with pytest.raises(DemoDataRefused, match=r"already has 1 line.*--append"):
        seed()
    assert PhoneNumber.objects.count() == 1


def test_append_adds_to_the_lines_that_are_there() -> None:
    seed()
    seed(append=True)
    assert PhoneNumber.objects.values("number").distinct().count() == 16
    assert Call.objects.count() == 3000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lines", "0"], "--lines must be from 1 to 1000."),
        (["--lines", "1001"], "--lines must be from 1 to 1000"),
        (["--calls", "-5"], "--calls must be from 1"),
        (["--calls", "many"], "invalid int value: 'many'"),
        (["--days", "4000"], "--days must be from 1 to 3650."),
        (["--until", "yesterday"], "'yesterday' is not a time"),
        (["--until", "2999-01-01"], "calls must lie between"),
        (["--until", "1900-01-01"], "calls must lie between"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("seed_demo", *arguments)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not PhoneNumber.objects.exists()


@pytest.mark.django_db(databases=["default", "owner"])
def test_the_command_prints_the_counts() -> None:
    out = StringIO()
    call_command("seed_demo", lines=2, calls=40, days=3, stdout=out)
    metadata = CallMetadata.objects.count()
    assert out.getvalue() == f"Created 2 lines, 40 calls and {metadata} rows of metadata.\n"


@pytest.mark.django_db(databases=["default", "owner"])
def test_live_calls_of_the_command_began_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 5, 10, 47, 33, tzinfo=UTC))
    call_command("seed_demo", lines=2, calls=400, days=3, verbosity=0)
    live = Call.objects.filter(status__in=["ringing", "answered"])
    assert live.exists()
    assert not live.filter(created_at__lt=datetime(2026, 3, 5, 10, 43, tzinfo=UTC)).exists()
