"""What other settings would have changed for past calls; pure, and in constant memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from decisions.comparison import Comparison, Difference, Kind, PastCall

Result = Literal["would_change", "cannot_be_told"]


@dataclass
class Counts:
    """Of calls; one that would change is counted so whatever else of it cannot be told."""

    total: int = 0
    would_change: int = 0
    cannot_be_told: int = 0
    by_kind: Counter[Difference] = field(default_factory=Counter)

    def add(self, differences: Iterable[Difference]) -> None:
        """One call."""
        self.total += 1
        if result := result_of(differences):
            self.by_kind.update(differences)
            if result == "would_change":
                self.would_change += 1
            else:
                self.cannot_be_told += 1

    def __str__(self) -> str:
        return (
            f"{self.would_change:,} of {self.total:,} would change,"
            f" {self.cannot_be_told:,} cannot be told"
        )


def result_of(differences: Iterable[Difference]) -> Result | None:
    """None of a call that stays as it was."""
    kinds: set[Kind] = {difference.kind for difference in differences}
    if kinds - {"cannot_be_told"}:
        return "would_change"
    return "cannot_be_told" if kinds else None


@dataclass(frozen=True)
class ChangedCall:
    """A call that would change, or of which it cannot be told."""

    call: PastCall
    differences: tuple[Difference, ...]


class Backtest:
    """Compares past calls as they are added: counts all, and keeps the first that changed."""

    def __init__(self, comparison: Comparison, *, limit: int = 50) -> None:
        self.comparison = comparison
        self.counts = Counts()
        self.changed: list[ChangedCall] = []
        self.last: PastCall | None = None  # of those that were added
        self.has_more = False  # calls that changed than are kept
        self._limit = limit

    def add(self, calls: Iterable[PastCall]) -> None:
        for call in calls:
            self.last = call
            differences = self.comparison.differences(call)
            self.counts.add(differences)
            if not differences:
                continue
            if len(self.changed) == self._limit:
                self.has_more = True
            else:
                self.changed.append(ChangedCall(call, tuple(differences)))


def backtest(comparison: Comparison, calls: Iterable[PastCall], *, limit: int = 50) -> Backtest:
    """Of all calls, such as those of decisions.past_facts; keeps `limit` that changed."""
    compared = Backtest(comparison, limit=limit)
    compared.add(calls)
    return compared
