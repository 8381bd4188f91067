"""What a benchmark says: a row of the table for each thing that it compared."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MET = {None: "", True: ", met", False: ", MISSED"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """Ours beside a peer in the same run.

    ratio is what target speaks of: ">= 4" of how many times as fast, "<= 1.15" of how many times
    as slow. Without a target the row informs.
    """

    work: str
    peer: str
    ours: str
    theirs: str = ""
    ratio: float | None = None
    target: str = ""
    note: str = ""

    def is_met(self) -> bool | None:
        if self.ratio is None or not self.target:
            return None
        sign, _, bound = self.target.partition(" ")
        # What the table shows is what is judged.
        shown = float(f"{self.ratio:.2f}")
        return shown >= float(bound) if sign == ">=" else shown <= float(bound)


def in_milliseconds(seconds: Sequence[float]) -> str:
    """Median and 99th percentile, such as "1.20 ms (p99 3.40)"."""
    return f"{statistics.median(seconds) * 1e3:.2f} ms (p99 {percentile(seconds, 0.99) * 1e3:.2f})"


def percentile(values: Sequence[float], rank: float) -> float:
    return sorted(values)[min(int(len(values) * rank), len(values) - 1)]


def print_rows(rows: Iterable[Row]) -> None:
    """Each row as it comes, so that a long run shows where it is."""
    for row in rows:
        beside = f" | {row.peer}: {row.theirs}" if row.theirs else ""
        ratio = "" if row.ratio is None else f" | ratio {row.ratio:.2f}"
        target = f", target {row.target}{MET[row.is_met()]}" if row.target else ""
        note = f" | {row.note}" if row.note else ""
        print(f"{row.work}: {row.ours}{beside}{ratio}{target}{note}", flush=True)
