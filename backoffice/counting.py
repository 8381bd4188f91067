"""How many rows there are, without counting a big table."""

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

# Rows that are counted exactly; beyond that a count is not worth its cost.
CAP = 10_000


@dataclass(frozen=True)
class RowCount:
    """A number of rows and its precision; str() gives both, such as "about 1.2 M"."""

    number: int
    prefix: str = ""

    @property
    def is_exact(self) -> bool:
        return not self.prefix

    def __str__(self) -> str:
        if self.prefix == "about":
            return f"about {_rounded(self.number)}"
        return f"{self.prefix} {self.number:,}".strip()


def _rounded(number: int) -> str:
    """Two significant digits: 1.2 M, 340,000."""
    digits = 2 - len(str(number))
    number = round(number, min(digits, 0))
    return (
        f"{number / 1_000_000:.2g} M"
        if 1_000_000 <= number < 10_000_000
        else (f"{number // 1_000_000:,} M" if number >= 10_000_000 else f"{number:,}")
    )


def count_up_to(queryset: QuerySet[Any], cap: int = CAP) -> RowCount:
    """The exact number of rows up to cap, else "more than cap"; reads at most cap + 1 rows."""
    number = queryset.order_by()[: cap + 1].count()
    return RowCount(number) if number <= cap else RowCount(cap, "more than")


def estimate(queryset: QuerySet[Any]) -> int:
    """The planner's estimate of the number of rows; reads none."""
    [plan] = json.loads(queryset.order_by().explain(format="json"))
    rows: int = plan["Plan"]["Plan Rows"]
    return rows
