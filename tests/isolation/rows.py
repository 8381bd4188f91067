"""One row of every tenant model for a line; a new model is added to MAKERS."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db import connection, connections
from django.db.models import Model

from analytics.models import (
    CallAnalytics,
    CallAnalyticsRow,
    DailyCallStats,
    DailyCallStatsRow,
    PhonePerformance,
    QueuedBucket,
    QuietLine,
    UsualCalls,
)
from api.models import IdempotencyKey
from calls.archival.models import ArchiveRun
from calls.intake.models import CallEvent, ImportedState, RefusedCallback
from calls.models import (
    Call,
    CallArchive,
    CallDecision,
    CallLeg,
    CallMetadata,
    CallRecording,
    CallReview,
    CallSearch,
    LegalHold,
    SealedMonth,
)
from decisions.models import DecisionSettings
from tenancy import all_tenants
from tenancy.models import ScopedModel
from tenants.credentials import ApiKey, TelephonyCredential, create_api_key
from tenants.memberships import Membership
from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    ConversationRule,
    NumberAssignment,
    PhoneNumber,
    SpecialDay,
    SpecialDayInterval,
    TransferPlace,
    VoiceSettings,
)
from tests.factories import hold, make_call, make_line, release_holds

CUT_OFF = datetime(2025, 1, 1, tzinfo=UTC)
NUMBERS = {"pn_bakery": 0, "pn_garage": 12_345_678}

HELD_SINCE = "UPDATE number_assignments SET since = '2020-01-15Z' WHERE phone_id = %(line)s"
INSERT_ARCHIVED = """
SELECT app.create_archive_partitions('2020-01-01Z', '2020-01-01Z');
INSERT INTO calls_archive (id, phone_id, caller_number, call_sid, status, created_at)
VALUES (gen_random_uuid(), %(line)s, '+14155559999', %(line)s || ' archived', 'completed',
        '2020-01-15Z')
"""
INSERT_STATE = """
INSERT INTO imported_states (call_id, phone_id, states)
SELECT id, phone_id, '{}' FROM calls WHERE phone_id = %(line)s LIMIT 1
"""
INSERT_REFUSED = """
INSERT INTO refused_callbacks (phone_id, cause, hour, count, detail, last_at)
VALUES (%(line)s, 'wrong_token', '2020-01-15Z', 1, '', '2020-01-15Z')
"""
INSERT_LEG = """
INSERT INTO call_legs (phone_id, call_sid, leg_sid, status, started_at, ended_at)
VALUES (%(line)s, %(line)s || ' call', %(line)s || ' leg', 'busy', '2020-01-15Z', '2020-01-15Z')
"""
INSERT_RECORDING = """
INSERT INTO call_recordings (phone_id, call_sid, recording_sid, state, started)
VALUES (%(line)s, %(line)s || ' call', %(line)s || ' recording', 'completed', '2020-01-15Z')
"""
INSERT_DECISION = """
INSERT INTO call_decisions
    (phone_id, call_sid, digest, at, created_at, facts, settings_version, answer)
VALUES (%(line)s, %(line)s || ' call', %(line)s || ' decision', '2020-01-15Z', '2020-01-15Z', '{}',
    '', '{}')
"""
INSERT_HOUR = """
INSERT INTO call_analytics (date_bucket, phone_id, total_calls) VALUES ('2020-01-15Z', %(line)s, 1)
"""
INSERT_DAY = """
INSERT INTO daily_call_stats (date, phone_id, total_calls) VALUES ('2020-01-15', %(line)s, 1)
"""
INSERT_USUAL = """
INSERT INTO usual_calls (phone_id, rates, calls_a_week, day_spread, week_spread, burst)
VALUES (%(line)s, array_fill(1::float8, '{168}'), 168, 0.1, 0.1, 1)
"""
INSERT_QUIET = """
INSERT INTO quiet_lines (phone_id, state, last_call_at, expected, surprise, alarm_at, refused,
    cause, noticed_at)
VALUES (%(line)s, 'quiet', '2020-01-15Z', 9, 9, 9, 0, '', '2020-01-16Z')
"""
INSERT_SEALED = """
INSERT INTO sealed_months (phone_id, since, until, calls)
VALUES (%(line)s, '2018-01-01Z', '2018-02-01Z', 1)
"""
# The rows that the triggers queued for the others of MAKERS become one.
QUEUE_HOUR = """
DELETE FROM rollup_queue WHERE phone_id = %(line)s;
INSERT INTO rollup_queue (phone_id, bucket) VALUES (%(line)s, '2020-01-15Z')
"""


def _execute(sql: str) -> Callable[[PhoneNumber], None]:
    def insert(line: PhoneNumber) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, {"line": line.pk})

    return insert


def _create(
    model: Any, *, number: str | None = None, **columns: Any
) -> Callable[[PhoneNumber], None]:
    """A maker; `number` is a column whose value must not occur in any page by chance."""

    def create(line: PhoneNumber) -> None:
        own = {number: 710_000_001 + NUMBERS[line.pk]} if number else {}
        model.objects.create(phone=line, **columns, **own)

    return create


def hold_and_release(line: PhoneNumber) -> None:
    """A hold that is over, so that it keeps no other row of the tests."""
    call = Call.objects.filter(phone=line)[0]
    hold(call, case=f"case {710_000_001 + NUMBERS[line.pk]}")
    release_holds()


def name_place(line: PhoneNumber) -> None:
    name = f"Desk {710_000_001 + NUMBERS[line.pk]}"
    TransferPlace.objects.create(phone=line, name=name, number="+14155550123")


def open_special_day(line: PhoneNumber) -> None:
    day = SpecialDay.objects.get(phone=line)
    SpecialDayInterval.objects.create(
        phone=line, special_day=day, open_time="09:00", close_time="12:00"
    )


MAKERS: dict[type[Model], Callable[[PhoneNumber], object]] = {
    PhoneNumber: lambda line: None,  # the line itself
    NumberAssignment: _execute(HELD_SINCE),  # made with the line
    VoiceSettings: _create(VoiceSettings),
    ConversationRule: _create(ConversationRule, rule_type="greeting", actions={"say": "Hi"}),
    TransferPlace: lambda line: name_place(line),
    BusinessHours: _create(BusinessHours, day_of_week=1, open_time="09:00", close_time="17:00"),
    BusinessHoursInterval: _create(
        BusinessHoursInterval, day_of_week=1, open_time="18:00", close_time="20:00"
    ),
    SpecialDay: _create(SpecialDay, date="2026-12-24", label="Christmas Eve"),
    SpecialDayInterval: lambda line: open_special_day(line),
    TelephonyCredential: _create(TelephonyCredential, current_token="ciphertext"),
    ApiKey: lambda line: create_api_key(phone_id=line.pk, name="test", scopes=["read"]),
    IdempotencyKey: _create(IdempotencyKey, number="id", key="key", request_hash="hash"),
    Call: lambda line: make_call(line, transcript="hello", metadata={"tags": ["vip"]}),
    ImportedState: _execute(INSERT_STATE),
    CallSearch: lambda line: None,  # with its call's transcript
    CallEvent: _create(CallEvent, number="id", kind="voice", payload={}, outcome="applied"),
    ArchiveRun: _create(
        ArchiveRun, number="id", kind="archive", started_by="test", cut_off=CUT_OFF
    ),
    CallMetadata: lambda line: None,  # with its call
    CallArchive: _execute(INSERT_ARCHIVED),
    RefusedCallback: _execute(INSERT_REFUSED),
    CallLeg: _execute(INSERT_LEG),
    CallRecording: _execute(INSERT_RECORDING),
    CallDecision: _execute(INSERT_DECISION),
    CallReview: _create(CallReview, number="id", call_id=uuid.uuid4(), call_began=CUT_OFF),
    LegalHold: lambda line: hold_and_release(line),
    DecisionSettings: _create(DecisionSettings, version="0" * 32, settings={}),
    Membership: _create(Membership, subject="user"),
    CallAnalytics: _execute(INSERT_HOUR),
    DailyCallStats: _execute(INSERT_DAY),
    CallAnalyticsRow: lambda line: None,  # a view of the hours
    DailyCallStatsRow: lambda line: None,  # and of the days
    UsualCalls: _execute(INSERT_USUAL),
    QuietLine: _execute(INSERT_QUIET),
    PhonePerformance: lambda line: None,  # computed from the calls
    SealedMonth: _execute(INSERT_SEALED),
    QueuedBucket: _execute(QUEUE_HOUR),
}


def tenant_models() -> list[type[Model]]:
    return [
        model
        for model in apps.get_models()
        if issubclass(model, ScopedModel) and not model._meta.proxy
    ]


def make_rows() -> tuple[PhoneNumber, PhoneNumber]:
    """Two lines with one committed row of every model each."""
    lines = (
        make_line(id="pn_bakery", number="+14155550101", business_name="Bakery"),
        make_line(id="pn_garage", number="+14155550202", business_name="Garage"),
    )
    with all_tenants("test data"):
        for line in lines:
            for make in MAKERS.values():
                make(line)
    with connections["owner"].cursor() as cursor:
        cursor.execute("REFRESH MATERIALIZED VIEW mv.phone_performance_summary")
    connections["owner"].close()
    return lines
