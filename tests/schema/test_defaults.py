"""A raw INSERT that names only the required columns works, and yields the document's defaults."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from tenants.models import PhoneNumber
from tests.factories import make_call
from tests.schema import rawsql
from tests.schema.rawsql import fetch, insert

pytestmark = pytest.mark.usefixtures("staff_scope")

REQUIRED = """
SELECT attname FROM pg_attribute
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull AND adbin IS NULL
"""
HOUR = datetime(2026, 3, 10, 12, tzinfo=UTC)
# Table, what a row needs, and what it has then; phone_id and created_at are added below.
ROWS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "voice_settings",
        {},
        {
            "voice_model": "neural",
            "voice_name": "Alloy",
            "speech_speed": Decimal("1.00"),
            "language": "en-US",
            "greeting_message": None,
        },
    ),
    (
        "conversation_rules",
        {"rule_type": "greeting"},
        {"conditions": "{}", "actions": "{}", "priority": 0, "is_active": True},
    ),
    (
        "business_hours",
        {"day_of_week": 1, "open_time": time(9), "close_time": time(17)},
        {"timezone": "UTC", "is_closed": False},
    ),
    (
        "calls",
        {"caller_number": "+14155550123", "call_sid": "CA1", "status": "ringing"},
        {
            "duration": 0,
            "recording_url": None,
            "transcript": None,
            "ai_summary": None,
            "ai_confidence": Decimal("0.80"),
            "provider_status": None,
            "legal_hold": False,
        },
    ),
    (
        "call_analytics",
        {"date_bucket": HOUR},
        {
            "total_calls": 0,
            "answered_calls": 0,
            "successful_calls": 0,
            "live_calls": 0,
            "measured_calls": 0,
            "total_duration": 0,
            "unique_callers": 0,
        },
    ),
    (
        "daily_call_stats",
        {"date": date(2026, 3, 10)},
        {
            "total_calls": 0,
            "answered_calls": 0,
            "successful_calls": 0,
            "live_calls": 0,
            "measured_calls": 0,
            "total_duration": 0,
            "average_duration": None,
            "unique_callers": 0,
            "callers_exact": True,
        },
    ),
]


@pytest.mark.parametrize(("table", "required", "defaults"), ROWS, ids=[row[0] for row in ROWS])
def test_insert_of_the_required_columns_yields_the_defaults(
    line: PhoneNumber, table: str, required: dict[str, Any], defaults: dict[str, Any]
) -> None:
    required = {"phone_id": line.id, **required}
    [now] = fetch("SELECT now() AS now")
    row = insert(table, **required)
    generated = {name: row.pop(name) for name in row.keys() - required.keys() - defaults.keys()}
    assert row == required | defaults
    for name, value in generated.items():
        assert isinstance(value, UUID) if name == "id" else value == now["now"], name


def test_line_needs_an_id_a_number_and_a_business_name(db: None) -> None:
    required = {"id": "pn_1", "number": "+14155550123", "business_name": "Bakery"}
    row = insert("phone_numbers", **required)
    assert row.pop("created_at") == fetch("SELECT now() AS now")[0]["now"]
    assert row == required | {"display_name": None, "timezone": "UTC"}


def test_metadata_needs_its_call_alone(line: PhoneNumber) -> None:
    call = make_call(line)
    row = insert("call_metadata", call_id=call.id)
    assert row.pop("created_at") == fetch("SELECT now() AS now")[0]["now"]
    assert row == {
        "call_id": call.id,
        "phone_id": line.id,
        "metadata": "{}",
        "tags": [],
        "custom_fields": "{}",
    }


def test_archived_call_needs_what_a_call_needs(line: PhoneNumber) -> None:
    fetch("SELECT app.create_archive_partitions(now(), now())")
    row = insert("calls_archive", **rawsql.ROWS["calls_archive"] | {"phone_id": line.id})
    now = fetch("SELECT now() AS now")[0]["now"]
    assert {row.pop(name) for name in ("created_at", "updated_at", "archived_at")} == {now}
    assert (row["duration"], row["ai_confidence"]) == (0, Decimal("0.80"))
    assert (row["metadata"], row["tags"], row["custom_fields"]) == ("{}", [], "{}")


@pytest.mark.parametrize(
    ("table", "required"),
    [
        ("phone_numbers", {"id", "number", "business_name"}),
        # The trigger fills phone_id.
        ("call_metadata", {"call_id", "phone_id"}),
        ("calls_archive", {"id", "phone_id", "caller_number", "call_sid", "status"}),
        *((table, {"phone_id", *required}) for table, required, _ in ROWS),
    ],
)
def test_required_columns_are_those_without_a_default(
    db: None, table: str, required: set[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(REQUIRED, [table])
        assert {name for (name,) in cursor.fetchall()} == required
