"""Settings as JSON: rows by their tables, as they are stored, drafted and published as vectors."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from decisions.line_settings import (
    BusinessHours,
    FurtherInterval,
    LineSettings,
    Rule,
    SpecialDay,
    SpecialInterval,
)

READ: dict[str, Callable[[str], Any]] = {
    "id": UUID,
    "open_time": time.fromisoformat,
    "close_time": time.fromisoformat,
    "date": date.fromisoformat,
    "created_at": datetime.fromisoformat,
}


def line_settings(document: Mapping[str, Any]) -> LineSettings:
    """The settings of a line from `timezone` and the rows of each table; other keys are left out.

    A special day has its `intervals`. Rows have passed the constraints of their tables.
    """
    return LineSettings(
        timezone=document["timezone"],
        business_hours=_rows(BusinessHours, document["business_hours"]),
        business_hours_intervals=_rows(FurtherInterval, document["business_hours_intervals"]),
        special_days=_rows(SpecialDay, document["special_days"]),
        conversation_rules=_rows(Rule, document["conversation_rules"]),
    )


def _rows(kind: Any, rows: list[dict[str, Any]]) -> tuple[Any, ...]:
    names = [field.name for field in fields(kind)]
    return tuple(kind(**{name: _read(name, row[name]) for name in names}) for row in rows)


def _read(name: str, value: Any) -> Any:
    if name == "intervals":
        return _rows(SpecialInterval, value)
    return READ[name](value) if name in READ else value
