"""What a metric found, and how bad it is."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """SKIPPED: not checked, for the reason given. UNKNOWN: checked without an answer."""

    OK = "ok"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def badness(self) -> int:
        return list(Level).index(self)


@dataclass(frozen=True)
class Item:
    """One thing that was checked: a table, a session, or the database as a whole."""

    level: Level
    subject: str
    value: float | None
    text: str
    fix: str = ""
    accepted: str = ""  # why this is expected although it would be bad


@dataclass(frozen=True)
class Finding:
    """The outcome of one metric; `items` are the worst of what it checked, worst first."""

    metric: str
    group: str
    label: str
    help: str
    level: Level
    threshold: str
    query: str
    items: list[Item] = field(default_factory=list)
    count: int = 0  # of such items, listed or not
    value: float | None = None  # of the worst item; what /metrics shows
    reason: str = ""  # why it is skipped or unknown
    since: datetime | None = None  # what the statistics have counted since; None: as of now
    taken_at: datetime | None = None
    milliseconds: float = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def worst(levels: list[Level]) -> Level:
    """The worst of them; OK for none."""
    return max(levels, key=lambda level: level.badness, default=Level.OK)
