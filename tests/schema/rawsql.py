"""Raw SQL and rows for the tests of what the database itself holds."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

# A good row of each table, of the line pn_bakery; call_metadata lacks its call.
ROWS: dict[str, dict[str, Any]] = {
    "phone_numbers": {"id": "pn_1", "number": "+14155550123", "business_name": "Cafe"},
    "voice_settings": {"phone_id": "pn_bakery"},
    "conversation_rules": {"phone_id": "pn_bakery", "rule_type": "greeting"},
    "business_hours": {
        "phone_id": "pn_bakery",
        "day_of_week": 1,
        "open_time": "09:00",
        "close_time": "17:00",
    },
    "transfer_places": {
        "phone_id": "pn_bakery",
        "name": "Front desk",
        "number": "+14155550123",
    },
    "memberships": {"phone_id": "pn_bakery", "subject": "user"},
    "calls": {
        "phone_id": "pn_bakery",
        "caller_number": "+14155559999",
        "call_sid": "CA1",
        "status": "ringing",
    },
    "call_metadata": {"phone_id": "pn_bakery"},
    "call_reviews": {
        "phone_id": "pn_bakery",
        "call_id": uuid.UUID(int=2),
        "call_began": datetime(2026, 3, 1, tzinfo=UTC),
        "claimed_by": "agent",
        "claimed_until": datetime(2026, 3, 1, tzinfo=UTC),
        "reviewed_by": "agent",
        "reviewed_at": datetime(2026, 3, 1, tzinfo=UTC),
    },
    "call_analytics": {"phone_id": "pn_bakery", "date_bucket": datetime(2026, 3, 1, tzinfo=UTC)},
    "daily_call_stats": {"phone_id": "pn_bakery", "date": "2026-03-01"},
    "calls_archive": {
        "id": uuid.UUID(int=1),
        "phone_id": "pn_bakery",
        "caller_number": "+14155559999",
        "call_sid": "CA2",
        "status": "completed",
    },
}


def fetch(statement: str, *parameters: Any) -> list[dict[str, Any]]:
    """The rows that a statement returns, as dictionaries; none for one without rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        if cursor.description is None:
            return []
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def insert_sql(table: str, columns: Iterable[str]) -> str:
    """INSERT that names those columns only and returns the whole row."""
    names = list(columns)
    placeholders = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({placeholders}) RETURNING *"


def insert(table: str, **columns: object) -> dict[str, Any]:
    """The whole row that an INSERT of those columns makes."""
    [row] = fetch(insert_sql(table, columns), *columns.values())
    return row


def insert_refused_by(table: str, **columns: object) -> str | None:
    """The constraint that refuses an INSERT of those columns."""
    return refusal(insert_sql(table, columns), *columns.values())


def refusal(statement: str, *parameters: Any) -> str | None:
    """The name of the constraint that refuses the statement. Fails when nothing does."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        fetch(statement, *parameters)
    assert isinstance(caught.value.__cause__, psycopg.Error)
    return caught.value.__cause__.diag.constraint_name
