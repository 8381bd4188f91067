"""Settings from JSON, in the form of vectors.jsonl."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
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

VECTORS = [
    json.loads(line) for line in (Path(__file__).parent / "vectors.jsonl").open(encoding="utf-8")
]
READ: dict[str, Callable[[str], Any]] = {
    "id": UUID,
    "open_time": time.fromisoformat,
    "close_time": time.fromisoformat,
    "date": date.fromisoformat,
    "created_at": datetime.fromisoformat,
}


def settings_of(document: Mapping[str, Any]) -> LineSettings:
    return LineSettings(
        timezone=document["timezone"],
        business_hours=tuple(BusinessHours(**columns(row)) for row in document["business_hours"]),
        business_hours_intervals=tuple(
            FurtherInterval(**columns(row)) for row in document["business_hours_intervals"]
        ),
        special_days=tuple(special_day(row) for row in document["special_days"]),
        conversation_rules=tuple(Rule(**columns(row)) for row in document["conversation_rules"]),
    )


def special_day(row: Mapping[str, Any]) -> SpecialDay:
    intervals = tuple(SpecialInterval(**columns(interval)) for interval in row["intervals"])
    return SpecialDay(**{**columns(row), "intervals": intervals})


def columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: READ[name](value) if name in READ else value for name, value in row.items()}
