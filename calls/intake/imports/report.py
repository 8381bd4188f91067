"""The summary printed after an import."""

from pathlib import Path

from calls.intake.imports.file_legs import LegCounts
from calls.intake.imports.importing import Counts


def report(counts: Counts, rejects: Path, *, dry_run: bool) -> str:
    archived = f" ({counts.archived} of them archived)" if counts.archived else ""
    lines = [
        f"read {counts.read}, loaded {counts.loaded}, updated {counts.updated},"
        f" unchanged {counts.unchanged}{archived}, rejected {counts.rejected}"
    ]
    if counts.repeated:
        lines.append(
            f"{counts.repeated} of them are of a call with an earlier row in the file; the later"
            " state of each call counts."
        )
    if counts.legs.total:
        lines.append(report_of_legs(counts.legs))
    if dry_run:
        lines.append("Dry run: no calls were changed.")
    if counts.ignored_columns:
        names = ", ".join(map(repr, sorted(counts.ignored_columns)[:10]))
        lines.append(f"Unknown columns, ignored: {names}")
    if counts.rejected:
        lines.append(f"Rejected rows and reasons: {rejects}")
    return "\n".join(lines)


def report_of_legs(legs: LegCounts) -> str:
    text = f"legs of calls: recorded {legs.recorded}, unchanged {legs.unchanged}"
    if legs.waiting:
        text += f", waiting {legs.waiting} until a file or a callback has their call"
    return text
