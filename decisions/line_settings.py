"""The settings of one line that a decision reads: rows as they are in their tables.

Names of attributes are those of columns. Rows may be in any order. Days of the week begin with
Sunday, 0. What the tables' constraints refuse is not checked here again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, ClassVar, Literal
from uuid import UUID

RuleType = Literal["greeting", "routing", "transfer", "hours"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BusinessHours:
    """The hours of a weekday on the clock of the row's timezone; at most one row a weekday."""

    table: ClassVar[str] = "business_hours"

    id: UUID
    day_of_week: int
    open_time: time
    close_time: time
    timezone: str
    is_closed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FurtherInterval:
    """A row of business_hours_intervals, on the line's clock."""

    table: ClassVar[str] = "business_hours_intervals"

    id: UUID
    day_of_week: int
    open_time: time
    close_time: time


@dataclass(frozen=True, kw_only=True, slots=True)
class SpecialInterval:
    open_time: time
    close_time: time


@dataclass(frozen=True, kw_only=True, slots=True)
class SpecialDay:
    """The hours of one date of the line, instead of the week's; at most one for each date."""

    table: ClassVar[str] = "special_days"

    id: UUID
    date: date
    is_closed: bool = False
    intervals: tuple[SpecialInterval, ...] = ()
    label: str = ""


HoursRow = BusinessHours | FurtherInterval | SpecialDay


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A row of conversation_rules. `conditions` are as the schema of conditions allows."""

    id: UUID
    rule_type: RuleType
    conditions: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    is_active: bool = True
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LineSettings:
    timezone: str
    business_hours: tuple[BusinessHours, ...] = ()
    business_hours_intervals: tuple[FurtherInterval, ...] = ()
    special_days: tuple[SpecialDay, ...] = ()
    conversation_rules: tuple[Rule, ...] = ()
