"""Documents of settings before and after a change, and past calls, in few words."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from decisions.backtest import Backtest, backtest
from decisions.comparison import Comparison, Difference, PastCall
from tests.decisions.strategies import Json

MONDAY_NOON = datetime(2026, 3, 9, 11, tzinfo=UTC)  # 12:00 in Berlin


def key(number: int) -> str:
    return str(UUID(int=number))


def rule(number: int, conditions: Json | None = None, **columns: Any) -> Json:
    return {
        "id": key(number),
        "rule_type": "routing",
        "conditions": conditions or {},
        "actions": {"department": "sales"},
        "priority": -number,
        "is_active": True,
        "created_at": "2026-01-05T08:00:00+00:00",
    } | columns


def hours(day: int, opens: str, closes: str, **columns: Any) -> Json:
    return {
        "id": key(900 + day),
        "day_of_week": day,
        "open_time": opens,
        "close_time": closes,
        "timezone": "Europe/Berlin",
        "is_closed": False,
    } | columns


def special(number: int, day: str, **columns: Any) -> Json:
    row = {"id": key(number), "date": day, "label": "", "is_closed": True, "intervals": []}
    return row | columns


def document(*rules: Json, **tables: list[Json]) -> Json:
    return {
        "timezone": "Europe/Berlin",
        "business_hours": [],
        "business_hours_intervals": [],
        "special_days": [],
        "conversation_rules": [*rules],
        "transfer_places": {},
    } | tables


def call(moment: datetime = MONDAY_NOON, number: int = 1, **facts: Any) -> PastCall:
    return PastCall(UUID(int=number), moment, moment, facts)


def differences(before: Json, after: Json, **facts: Any) -> list[Difference]:
    """At Monday noon."""
    return Comparison(before, after).differences(call(**facts))


def report(before: Json, after: Json, *calls: PastCall, limit: int = 50) -> Backtest:
    return backtest(Comparison(before, after), calls, limit=limit)
